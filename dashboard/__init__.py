"""The face of Deltawatch and its wiring; `streams` is the engine and never imports this."""

from dashboard.celery import app as celery_app

__all__ = ["celery_app"]
