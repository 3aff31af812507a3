"""The Celery application: `celery -A dashboard worker` and `celery -A dashboard beat`."""

import os

from celery import Celery

from streams.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("deltawatch")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["streams"])
app.conf.beat_schedule = SCHEDULE
