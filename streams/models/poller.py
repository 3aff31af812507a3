"""Signs of life: the seats of the pollers, and the clocks of beat and the workers."""

from django.db import models


class Poller(models.Model):
    """One of the POLLERS seats; a poll task runs while it holds one."""

    number = models.PositiveSmallIntegerField(unique=True)
    owner = models.CharField(max_length=100, blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"poller {self.number}"


class Heartbeat(models.Model):
    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at}"
