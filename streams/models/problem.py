"""Problems: errors grouped by fingerprint, and the raw bytes of records that could not be read."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

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
    # Who resolved it; "" if its cause was found to be gone.
    resolved_by = models.CharField(max_length=150, blank=True, db_default="")

    # What people do about it (stages/handle.py). The report of a new sighting ends these, where
    # it must, in its own statement (stages/report.py).
    assignee = models.CharField(max_length=150, blank=True, db_default="")
    acknowledged_at = models.DateTimeField(null=True)
    # Ignored until a moment, or until it has been seen so often in all; NULL for neither.
    ignored_until = models.DateTimeField(null=True)
    ignored_count = models.BigIntegerField(null=True)
    # When it was last seen again after it had been resolved, or was not ignored any more.
    regressed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_seen"]
        indexes = [
            # queries/problems.py: the list, newest first
            models.Index(fields=["last_seen", "id"], name="problem_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence}"

    def state_at(self, now: datetime) -> str:
        """New, acknowledged, ignored, regressed or resolved."""
        if self.resolved_at:
            return "resolved"
        if self.is_ignored_at(now):
            return "ignored"
        if self.acknowledged_at:
            return "acknowledged"
        return "regressed" if self.regressed_at else "new"

    def is_ignored_at(self, now: datetime) -> bool:
        until, count = self.ignored_until, self.ignored_count
        if until is None and count is None:
            return False
        return (until is None or until > now) and (count is None or self.count <= count)


def in_state(state: str, now: datetime) -> Q:
    """The problems of a state, as `state_at` tells them; open is new, acknowledged or regressed."""
    by_time = Q(ignored_until=None) | Q(ignored_until__gt=now)
    by_count = Q(ignored_count=None) | Q(count__lte=F("ignored_count"))
    chosen = ~Q(ignored_until=None, ignored_count=None)
    open_ = Q(resolved_at=None) & ~(chosen & by_time & by_count)
    return {
        "open": open_,
        "new": open_ & Q(acknowledged_at=None, regressed_at=None),
        "acknowledged": open_ & Q(acknowledged_at__isnull=False),
        "regressed": open_ & Q(acknowledged_at=None, regressed_at__isnull=False),
        "ignored": Q(resolved_at=None) & chosen & by_time & by_count,
        "resolved": Q(resolved_at__isnull=False),
    }[state]


class ProblemEvent(models.Model):
    """A change of a problem's state: its timeline."""

    class What(models.TextChoices):
        REGRESSED = "regressed", "Seen again"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        RESOLVED = "resolved", "Resolved"
        IGNORED = "ignored", "Ignored"
        REOPENED = "reopened", "Opened again"

    problem = models.ForeignKey(Problem, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    # "" for Deltawatch itself.
    who = models.CharField(max_length=150, blank=True)
    what = models.CharField(max_length=20, choices=What)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # a problem's page: its timeline, newest first
            models.Index(fields=["problem", "at"], name="problem_event_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.what} at {self.at}"


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
        indexes = [
            # what still waits, on the problem's page and in the list
            models.Index(fields=["problem", "id"], condition=Q(outcome=""), name="poison_waiting"),
        ]

    def __str__(self) -> str:
        return f"record {self.sequence or 'of unknown sequence'}: {self.reason}"
