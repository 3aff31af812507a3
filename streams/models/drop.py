"""A drop: a range of a stream's changes that its retention deleted, and what the ledger knew."""

from django.db import models

from streams.models.stream import Stream


class Drop(models.Model):
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="drops")
    # The partition's range: changes that happened from `from_at` up to, not including, `to_at`.
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    changes = models.BigIntegerField()
    size = models.BigIntegerField()
    dropped_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-to_at"]

    def __str__(self) -> str:
        return f"{self.stream}: {self.from_at} to {self.to_at}"
