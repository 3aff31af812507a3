"""Destinations: where alerts are sent."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now


class Destination(models.Model):
    name = models.CharField(
        max_length=80,
        unique=True,
        validators=[RegexValidator(r"\S", "A destination needs a name.")],
    )
    # A kind that streams/destinations/registry.py knows.
    kind = models.CharField(max_length=20)
    # What the kind needs: addresses, a URL. Its adapter checks it.
    options = models.JSONField(default=dict)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
