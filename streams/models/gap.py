"""A gap: a range of a shard that is known to be missing. A gap is never deleted."""

from django.db import models

from streams.models.shard import Shard
from streams.models.stream import Stream


class Gap(models.Model):
    class Reason(models.TextChoices):
        TRIMMED = "trimmed", "the source had deleted the records before they were read"
        SHARD_LOST = "shard-lost", "the shard was gone before it was read to its end"
        NEW_STREAM = "new-stream", "the table's stream was off or replaced for a time"
        UNREAD = "unread", "nothing was read for longer than the source keeps its records"
        SKIPPED = "skipped", "an operator skipped a record that could not be read"

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="gaps")
    shard = models.ForeignKey(Shard, models.CASCADE, null=True, related_name="gaps")
    reason = models.CharField(max_length=20, choices=Reason)
    # The last sequence stored before the gap and the first one after it, where known.
    from_sequence = models.CharField(max_length=200, blank=True)
    to_sequence = models.CharField(max_length=200, blank=True)
    # Changes that happened between these moments may be missing.
    from_at = models.DateTimeField(null=True)
    to_at = models.DateTimeField()
    detected_at = models.DateTimeField(auto_now_add=True)
    # True while the loss goes on: `to_at` still grows.
    growing = models.BooleanField(default=False)
    # When it turned out that nothing is missing: the source had kept everything after all.
    harmless_at = models.DateTimeField(null=True)
    # What an operator said about it.
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["-detected_at"]
        constraints = [
            # stages/watch.py: one loss that goes on is one gap
            models.UniqueConstraint(
                fields=["stream", "shard"],
                condition=models.Q(growing=True),
                nulls_distinct=False,
                name="gap_growing_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} ({self.from_at or 'unknown'} – {self.to_at})"
