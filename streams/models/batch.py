"""The ledger: what one read of one shard stored, as one row; and the feed's head."""

from django.db import models
from django.db.models.functions import Now

from streams.models.shard import Shard
from streams.models.stream import Stream


class Batch(models.Model):
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="+", db_index=False)
    shard = models.ForeignKey(Shard, models.CASCADE, related_name="batches", db_index=False)
    # 1, 2, 3… per shard: a missing number is a missing batch.
    number = models.BigIntegerField()
    # Where this batch stands in the feed; NULL until the sequencer has numbered it.
    feed_position = models.BigIntegerField(null=True)
    # When it got that place: the clock that rules are evaluated by, which never runs backwards
    # along the feed. NULL for what was numbered before rules were there.
    numbered_at = models.DateTimeField(null=True)

    continued_from = models.CharField(max_length=200, blank=True)
    first_sequence = models.CharField(max_length=200)
    last_sequence = models.CharField(max_length=200)
    inserts = models.IntegerField(default=0)
    modifies = models.IntegerField(default=0)
    removes = models.IntegerField(default=0)
    # Records that were read but are no change of this stream: older than its start, seen
    # before, or unreadable (those are kept as poison records).
    before_start = models.IntegerField(default=0)
    repeated = models.IntegerField(default=0)
    poison = models.IntegerField(default=0)
    size = models.BigIntegerField(default=0)
    oldest_change_at = models.DateTimeField(null=True)
    newest_change_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    stored_at = models.DateTimeField(db_default=Now())
    lease_token = models.BigIntegerField()
    # Covers this row, its changes, and the digest of the shard's batch before (change.py).
    digest = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shard", "number"], name="batch_chain"),
            # queries/feed.py reads on from a cursor, over all streams
            models.UniqueConstraint(fields=["feed_position"], name="batch_feed"),
        ]
        indexes = [
            # stages/publish.py: what has not been numbered yet
            models.Index(
                fields=["id"],
                condition=models.Q(feed_position__isnull=True),
                name="batch_unnumbered",
            ),
            # queries/feed.py for one stream, and queries/overview.py for its rate
            models.Index(fields=["stream", "feed_position"], name="batch_stream_feed"),
            # queries/overview.py: the last minute of every stream
            models.Index(fields=["stored_at"], name="batch_stored"),
        ]

    def __str__(self) -> str:
        return f"batch {self.number} of shard {self.shard_id}"


class FeedHead(models.Model):
    """One row: the highest feed position given out. Its row lock makes numbering one at a time."""

    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.position)
