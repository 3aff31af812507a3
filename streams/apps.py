from django.apps import AppConfig
from django.conf import settings

from streams.sources.agent import name_consumer


class StreamsConfig(AppConfig):
    name = "streams"
    verbose_name = "Deltawatch"

    def ready(self) -> None:
        name_consumer(settings.CONSUMER)
