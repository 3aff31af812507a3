"""A stream: one configured source of changes. It outlives the ARN it currently reads."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models


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

    created_at = models.DateTimeField(auto_now_add=True)
    # When the shards were last listed to the end, and when to list them again.
    discovered_at = models.DateTimeField(null=True, blank=True)
    discover_after = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
