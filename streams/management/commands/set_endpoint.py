"""`manage.py set_endpoint NAME URL`: a stand-in for DynamoDB has moved to another address."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from streams.management.failures import explained
from streams.queries.find_stream import find_stream
from streams.stages.add import change_options


class Command(BaseCommand):
    help = "Change a stream's endpoint URL; its history and positions stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("endpoint_url")

    def handle(self, **options: Any) -> None:
        with explained():
            stream = find_stream(options["name"])
            given = {**stream.options, "endpoint_url": options["endpoint_url"]}
            change_options(stream, given, "command line")
        self.stdout.write(f"Stream {stream.name} is read from {options['endpoint_url']}.")
