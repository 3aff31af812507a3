"""A shard: an ordered slice of a stream, read by at most one poller at a time."""

from django.db import models
from django.db.models.functions import Now

from streams.models.stream import Stream


class Shard(models.Model):
    class Ended(models.TextChoices):
        READ = "read", "read to its end"
        BEFORE_START = "before-start", "closed before the stream's start"
        LOST = "lost", "gone from the source before it was read"

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="shards")
    generation = models.PositiveSmallIntegerField()
    arn = models.CharField(max_length=300)
    name = models.CharField(max_length=200)
    # A child is read only after its parent has ended, so each item's order is kept. A parent that
    # a listing named but did not (yet) contain has a row too, with listed=False.
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    listed = models.BooleanField(default=True)
    closed = models.BooleanField(default=False)
    ended_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=20, choices=Ended, blank=True)

    # The sequence of the last stored record, as the source spells it; "" before the first.
    position = models.CharField(max_length=200, blank=True)
    # Where to read on without asking for a new iterator, and when the source gave it out.
    iterator = models.TextField(blank=True)
    iterator_at = models.DateTimeField(null=True)

    # The ledger's tail: number and digest of the last batch, and the changes stored so far.
    number = models.BigIntegerField(default=0)
    digest = models.BinaryField(default=b"")
    changes = models.BigIntegerField(default=0)

    # The lease. The token grows with every new owner and guards the storing transaction; times
    # are the database's, so that workers' clocks do not matter.
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_token = models.BigIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)

    last_read_at = models.DateTimeField(null=True)
    # When a read last showed that nothing more was waiting.
    caught_up_at = models.DateTimeField(null=True)
    last_stored_at = models.DateTimeField(null=True)
    newest_change_at = models.DateTimeField(null=True)
    # Before all of these clocks there is this one: no change of the shard that is ours to read is
    # older. The last complete listing that did not name it, or when its stream was added.
    unread_from = models.DateTimeField(db_default=Now())
    # How many of its last reads were throttled, in percent, when one was throttled last.
    throttled_at = models.DateTimeField(null=True)
    throttled_percent = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["stream", "generation", "name"]
        constraints = [
            models.UniqueConstraint(fields=["stream", "arn", "name"], name="shard_once"),
        ]
        indexes = [
            # stages/lease.py: the shards that are still to be read
            models.Index(
                fields=["stream", "generation"],
                condition=models.Q(ended_at__isnull=True),
                name="shard_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return self.name
