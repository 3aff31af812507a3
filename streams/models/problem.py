"""Problems: errors grouped by fingerprint, and the raw bytes of records that could not be read."""

from django.db import models

from streams.models.shard import Shard
from streams.models.stream import Stream


class Problem(models.Model):
    # stream id (or 0), kind, and what tells two of a kind apart.
    fingerprint = models.CharField(max_length=300, unique=True)
    stream = models.ForeignKey(Stream, models.CASCADE, null=True, related_name="problems")
    kind = models.CharField(max_length=40)
    sentence = models.TextField()
    fix = models.TextField(blank=True)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    count = models.BigIntegerField(default=1)
    # How far it has come, for kinds that go in steps; a lower step never overwrites its text.
    stage = models.PositiveSmallIntegerField(default=0, db_default=0)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_seen"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence}"


class PoisonRecord(models.Model):
    """A record that could not be parsed: kept whole, while its shard went on."""

    class Outcome(models.TextChoices):
        STORED = "stored", "read by a later try and stored"
        SKIPPED = "skipped", "skipped by an operator; there is a gap for it"

    problem = models.ForeignKey(Problem, models.CASCADE, related_name="records")
    shard = models.ForeignKey(Shard, models.CASCADE, related_name="poison_records")
    sequence = models.CharField(max_length=200, blank=True)
    raw = models.BinaryField()
    reason = models.TextField()
    seen_at = models.DateTimeField(auto_now_add=True)
    # How it was settled, when and by whom; open while empty.
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"record {self.sequence or 'of unknown sequence'}: {self.reason}"
