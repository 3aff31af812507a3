"""What retention deleted, and what keeps the ledger's proof honest afterwards."""

from django.db import models
from django.db.models.functions import Now

from streams.models.batch import Batch
from streams.models.shard import Shard
from streams.models.stream import Stream


class Drop(models.Model):
    """A range of a stream's changes that was dropped, and what the ledger knew of it."""

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="drops")
    # The leaf's range: changes that happened from `from_at` up to, not including, `to_at`.
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    # By the ledger, and by Postgres with indexes; the table is never counted.
    changes = models.BigIntegerField()
    size = models.BigIntegerField()
    dropped_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-to_at"]

    def __str__(self) -> str:
        return f"{self.stream}: {self.from_at} to {self.to_at}"


class Remainder(models.Model):
    """What is left of a batch that lies on both sides of a drop's border, with a digest of its
    own: the batch's digest covers changes that are gone."""

    batch = models.OneToOneField(Batch, models.CASCADE, primary_key=True, related_name="+")
    changes = models.IntegerField()
    digest = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.changes} changes of {self.batch}"


class Cut(models.Model):
    """Where a shard's ledger begins now: the last batch that was deleted because all its changes
    were dropped. The next batch continues its number, its position and its digest."""

    shard = models.OneToOneField(Shard, models.CASCADE, primary_key=True, related_name="+")
    number = models.BigIntegerField()
    position = models.CharField(max_length=200, blank=True)
    digest = models.BinaryField()
    # The newest change of all the deleted batches; NULL if they held none.
    newest_change_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.shard} up to batch {self.number}"
