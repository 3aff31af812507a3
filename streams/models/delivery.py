"""Deliveries: one thing to send to one destination; and each try of it."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from streams.models.alert import Alert
from streams.models.destination import Destination


class Delivery(models.Model):
    class Reason(models.TextChoices):
        OPENED = "opened", "an alert opened"
        DIGEST = "digest", "a digest of alerts"
        REPEAT = "repeat", "repeated: nobody has acknowledged it"
        ESCALATION = "escalation", "escalated: nobody has acknowledged it in time"
        RESOLVED = "resolved", "an alert resolved"
        MUTE_ENDS = "mute-ends", "a mute ends soon"
        TEST = "test", "a test"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"

    # The same on every try, so that a receiver can tell a repeat.
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    destination = models.ForeignKey(
        Destination, models.CASCADE, related_name="deliveries", db_index=False
    )
    alerts = models.ManyToManyField(Alert, related_name="deliveries", blank=True)
    reason = models.CharField(max_length=20, choices=Reason)
    # What is said: {"subject", "text", "html", "facts"}; streams/alerting/message.py makes it.
    message = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    # Whoever sends it holds it until then; a crashed sender's delivery is taken up after it. The
    # moment is also the claim's name: who finds another one has lost it.
    claimed_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            # stages/deliver.py: what is due, for each destination
            models.Index(
                fields=["destination", "due_at"],
                condition=Q(state__in=["waiting", "sending"]),
                name="delivery_due",
            ),
            # the log of deliveries, of one destination, and those that failed
            models.Index(fields=["destination", "id"], name="delivery_of_destination"),
            models.Index(fields=["id"], condition=Q(state="failed"), name="delivery_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}, to {self.destination}"


class Attempt(models.Model):
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField(db_default=Now())
    seconds = models.FloatField()
    succeeded = models.BooleanField()
    # What the receiver said, or why it could not be reached; cut.
    response = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{'sent' if self.succeeded else 'failed'} at {self.at}"
