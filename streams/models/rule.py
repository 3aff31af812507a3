"""Rules: which changes matter, and when they become an alert; every version of them is kept."""

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now

from streams.models.destination import Destination
from streams.models.stream import Stream

# The longest cool-down, repeat, escalation and the like: 30 days, in seconds.
LONGEST = 30 * 86_400
_SPAN = [MaxValueValidator(LONGEST)]


class Rule(models.Model):
    class Kind(models.TextChoices):
        MATCH = "match", "each match"
        COUNT = "count", "a count in a window"
        RATE = "rate", "a rate against the usual"
        ABSENCE = "absence", "nothing for a time"
        FIRST_SEEN = "first-seen", "something seen for the first time"
        SEQUENCE = "sequence", "one change after another"
        HEALTH = "health", "the health of streams and workers"

    class Severity(models.TextChoices):
        INFO = "info", "info"
        WARNING = "warning", "warning"
        CRITICAL = "critical", "critical"

    name = models.CharField(
        max_length=120,
        unique=True,
        validators=[RegexValidator(r"\S", "A rule needs a name.")],
    )
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.MATCH)
    enabled = models.BooleanField(default=True)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    note = models.TextField(blank=True)
    owner = models.CharField(max_length=150, blank=True)
    runbook = models.URLField(blank=True, max_length=500)

    # Which changes: a text expression or an event pattern; "" is all. Health rules have none.
    query = models.TextField(blank=True, max_length=10_000)
    # What is to follow, or not to follow, in a sequence.
    then_query = models.TextField(blank=True, max_length=10_000)
    # What the kind needs beside (streams/alerting/definition.py says which, and checks it).
    params = models.JSONField(default=dict, blank=True)
    # One alert for each value of these: "item", "stream", or a path such as "new.country".
    group_by = models.JSONField(default=list, blank=True)

    # Seconds; 0 is never, or none.
    resolve_seconds = models.PositiveIntegerField(default=900, validators=_SPAN)
    cool_down_seconds = models.PositiveIntegerField(default=0, validators=_SPAN)
    digest_seconds = models.PositiveIntegerField(default=0, validators=_SPAN)
    repeat_seconds = models.PositiveIntegerField(default=0, validators=_SPAN)
    escalate_seconds = models.PositiveIntegerField(default=0, validators=_SPAN)
    destinations = models.ManyToManyField(Destination, blank=True, related_name="rules")
    escalate_to = models.ManyToManyField(Destination, blank=True, related_name="escalations")

    version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(null=True)
    changed_by = models.CharField(max_length=150, blank=True)
    # NULL while what came before is read for the kinds that must know it; until then no match of
    # the rule is evaluated.
    ready_at = models.DateTimeField(null=True)

    # What keeps the rule from working, and what to do; "" if nothing does.
    error = models.TextField(blank=True)
    fix = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RuleVersion(models.Model):
    """A rule as it was saved: who, when, why, and everything it said."""

    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, related_name="versions")
    rule_name = models.CharField(max_length=120)
    version = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    who = models.CharField(max_length=150)
    why = models.TextField(blank=True)
    # As streams/rulebook.py spells a rule; NULL where the rule was deleted.
    content = models.JSONField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "version"], name="rule_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_name}, version {self.version}"


class RuleHead(models.Model):
    """One row: grows by one with every change of any rule, in its transaction. It is asked
    before each batch is stored, so a rule is active from then on."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)


class RuleState(models.Model):
    """What a rule remembers of one group: windows, what it waits for, if an alert is open."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="states", db_index=False)
    group = models.CharField(max_length=300, blank=True)
    state = models.JSONField()
    # When time alone changes something; NULL for never.
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "group"], name="rule_state_once"),
        ]
        indexes = [
            # stages/evaluate.py: what is due
            models.Index(
                fields=["due_at"], condition=models.Q(due_at__isnull=False), name="rule_state_due"
            ),
        ]

    def __str__(self) -> str:
        return f"rule {self.rule_id}, group {self.group!r}"


class Sighting(models.Model):
    """Something a first-seen rule has met: an attribute with its type, or a field's value."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="sightings", db_index=False)
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="+", db_index=False)
    # "total:N" for an attribute and its type; the value itself for a value, shortened with a hash.
    what = models.CharField(max_length=300)
    first_at = models.DateTimeField()
    # The permalink of the first change; "" where it was known before the rule was there.
    change = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["-first_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "stream", "what"], name="sighting_once"),
        ]
        indexes = [
            # queries/drift.py: the journal, newest first, of all streams and of one
            models.Index(
                fields=["first_at", "id"], condition=~models.Q(change=""), name="sighting_newest"
            ),
            models.Index(
                fields=["stream", "first_at", "id"],
                condition=~models.Q(change=""),
                name="sighting_of_stream",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} in {self.stream_id}"
