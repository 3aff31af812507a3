"""When nothing is sent: mutes with an end, and maintenance windows that come again."""

from django.db import models
from django.db.models.functions import Now

from streams.models.rule import Rule


class Mute(models.Model):
    """No alert of the rule (or of its one group, or of any rule) is sent until the end. Alerts
    still open, and are kept."""

    rule = models.ForeignKey(Rule, models.CASCADE, null=True, blank=True, related_name="mutes")
    # NULL is every group of the rule.
    group = models.CharField(max_length=300, null=True, blank=True)  # noqa: DJ001 - "" is a group
    reason = models.TextField()
    who = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    # Set when somebody ended it early.
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)
    # When the notice before its end was queued.
    noticed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-until"]

    def __str__(self) -> str:
        return f"{self.rule or 'all rules'} until {self.until:%Y-%m-%d %H:%M} UTC: {self.reason}"


class MaintenanceWindow(models.Model):
    """A recurring time in which nothing is sent for its rules, in a time zone's own clock."""

    name = models.CharField(max_length=80, unique=True)
    # Monday is 0. The days on which it begins.
    weekdays = models.JSONField(default=list)
    begins = models.TimeField()
    # Minutes that really pass, so a window is as long on the day the clocks change.
    minutes = models.PositiveIntegerField()
    zone = models.CharField(max_length=60, default="UTC")
    # None is every rule.
    rules = models.ManyToManyField(Rule, blank=True, related_name="windows")
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
