"""Matches, and the alerts that rules made of them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from streams.models.batch import Batch
from streams.models.rule import Rule
from streams.models.stream import Stream


class Alert(models.Model):
    class State(models.TextChoices):
        OPEN = "open", "open"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        RESOLVED = "resolved", "resolved"

    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, related_name="alerts")
    # As they were when it opened: the rule may be changed or deleted.
    rule_name = models.CharField(max_length=120)
    rule_version = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=Rule.Kind)
    severity = models.CharField(max_length=10, choices=Rule.Severity)
    group = models.CharField(max_length=300, blank=True)
    # The stream of its first change, or the one a health rule speaks of.
    stream = models.ForeignKey(Stream, models.SET_NULL, null=True, related_name="alerts")

    state = models.CharField(max_length=20, choices=State, default=State.OPEN)
    sentence = models.TextField()
    fix = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    # Who resolved it; "" if it resolved by itself.
    resolved_by = models.CharField(max_length=150, blank=True)
    # Matches that belong to it, and firings that were held back after it by the cool-down.
    count = models.BigIntegerField(default=0)
    suppressed = models.BigIntegerField(default=0)
    owner = models.CharField(max_length=150, blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    # [{"path", "old", "new"}, …] of the change that opened it; kept when the change is dropped.
    sample = models.JSONField(default=list, blank=True)
    sample_change = models.CharField(max_length=60, blank=True)

    # When time alone makes something be sent; NULL for never.
    digest_at = models.DateTimeField(null=True)
    repeat_at = models.DateTimeField(null=True)
    escalate_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "group"], condition=~Q(state="resolved"), name="alert_open_once"
            ),
        ]
        indexes = [
            # the list of alerts, newest first
            models.Index(fields=["opened_at", "id"], name="alert_newest"),
            # the open ones, in the shell and the list
            models.Index(
                fields=["opened_at", "id"], condition=~Q(state="resolved"), name="alert_open"
            ),
            # a rule's page, and the rules' list: what it fired lately
            models.Index(fields=["rule", "opened_at"], name="alert_of_rule"),
            # stages/alert.py: what is due
            models.Index(
                fields=["id"],
                condition=Q(digest_at__isnull=False)
                | Q(repeat_at__isnull=False)
                | Q(escalate_at__isnull=False),
                name="alert_due",
            ),
        ]

    def __str__(self) -> str:
        return self.sentence


class Match(models.Model):
    """One change that satisfied one rule: written in the transaction that stored the change."""

    class Outcome(models.TextChoices):
        WAITING = "", "not evaluated yet"
        COUNTED = "counted", "counted, and no alert came of it"
        ALERT = "alert", "belongs to an alert"
        SUPPRESSED = "suppressed", "held back by the cool-down"
        SUPERSEDED = "superseded", "its rule was changed or deleted before it was evaluated"

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, related_name="+", db_index=False)
    rule_version = models.PositiveIntegerField()
    # 1 for the rule's filter, 2 for what is to follow it in a sequence.
    part = models.PositiveSmallIntegerField(default=1)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="+", db_index=False)
    # Together with the batch it names the change: its permalink is "batch-ordinal".
    ordinal = models.IntegerField()
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="+", db_index=False)
    item = models.UUIDField()
    occurred_at = models.DateTimeField()
    group = models.CharField(max_length=300, blank=True)
    # What was seen for the first time; "" for other kinds.
    seen = models.CharField(max_length=300, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default="", db_default="")
    alert = models.ForeignKey(
        Alert, models.SET_NULL, null=True, related_name="matches", db_index=False
    )

    class Meta:
        verbose_name_plural = "matches"
        constraints = [
            # One change may show a first-seen rule several new things.
            models.UniqueConstraint(
                fields=["batch", "ordinal", "rule", "part", "seen"], name="match_once"
            ),
        ]
        indexes = [
            # stages/evaluate.py: what waits
            models.Index(fields=["batch"], condition=Q(outcome=""), name="match_waiting"),
            # an alert's page: its changes
            models.Index(
                fields=["alert", "id"], condition=Q(alert__isnull=False), name="match_of_alert"
            ),
            # a rule's page: its last matches, and how many a day
            models.Index(fields=["rule", "occurred_at"], name="match_of_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.change} for rule {self.rule_id}"

    @property
    def change(self) -> str:
        """The permalink of its change."""
        return f"{self.batch_id}-{self.ordinal}"


class AlertEvent(models.Model):
    """A step of an alert's life."""

    class What(models.TextChoices):
        OPENED = "opened", "Opened"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        NOTED = "noted", "Note"
        RESOLVED = "resolved", "Resolved"
        SENT = "sent", "Queued to be sent"
        QUIET = "quiet", "Not sent"
        REPEATED = "repeated", "Repeated"
        ESCALATED = "escalated", "Escalated"

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField(db_default=Now())
    # "" for Deltawatch itself.
    who = models.CharField(max_length=150, blank=True)
    what = models.CharField(max_length=20, choices=What)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["alert", "at"], name="alert_event_newest")]

    def __str__(self) -> str:
        return f"{self.what} at {self.at}"
