"""Who changed what configuration, and when."""

from django.db import models


class Edit(models.Model):
    at = models.DateTimeField(auto_now_add=True)
    who = models.CharField(max_length=150)
    # "stream orders", "rule 7"…
    what = models.CharField(max_length=200)
    # {field: [before, after]}; before is null for a new thing, after for a deleted one.
    fields = models.JSONField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.what} by {self.who}"
