"""A stream: one configured source of changes. It outlives the ARN it currently reads."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from streams.indexing import Indexed, indexed_of, next_day


class Stream(models.Model):
    class Start(models.TextChoices):
        LATEST = "latest", "from now on"
        TRIM_HORIZON = "trim-horizon", "from the oldest record still kept"
        TIME = "time", "from a moment"

    name = models.CharField(
        max_length=80,
        unique=True,
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z",
                "Use letters, digits, dot, dash and underscore; begin with a letter or digit.",
            )
        ],
    )
    source = models.CharField(max_length=20, default="dynamodb")
    # What the adapter needs to reach the source: table, region, endpoint_url, role_arn.
    options = models.JSONField(default=dict)

    start = models.CharField(max_length=20, choices=Start, default=Start.LATEST)
    # Changes that happened before this moment are not stored; NULL stores all there are.
    start_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=150, blank=True)

    # Changes older than so many days are dropped; NULL keeps them for ever.
    keep_days = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(2), MaxValueValidator(3650)]
    )

    # What the source said last. `generation` counts the ARNs this stream has had, from 1.
    arn = models.CharField(max_length=300, blank=True)
    generation = models.PositiveSmallIntegerField(default=1)
    view_type = models.CharField(max_length=30, blank=True)
    # [[name, type], …]: the partition key, then the sort key where there is one.
    key_schema = models.JSONField(default=list, blank=True)

    # The top-level attributes whose values search finds by an index; NULL is those that look like
    # ids. Changes before the day (UTC) were stored under another choice; NULL is none.
    indexed_attributes = models.JSONField(null=True, blank=True)
    indexed_since = models.DateField(null=True, blank=True)

    # Top-level attributes whose changes are noise: a MODIFY of nothing else is stored like any
    # other, but hidden and counted where changes are listed (noise.py).
    ignored_fields = models.JSONField(default=list, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    # When the shards were last listed to the end, and when to list them again.
    discovered_at = models.DateTimeField(null=True, blank=True)
    discover_after = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def take_key_schema(self, key_schema: list[list[str]]) -> None:
        """The source's; another one than before changes what is indexed (not saved here)."""
        if self.key_schema not in ([], key_schema):
            self.indexed_since = next_day(timezone.now())
        self.key_schema = key_schema

    @property
    def indexed(self) -> Indexed:
        return indexed_of(self.indexed_attributes, self.indexed_since, self.key_schema)
