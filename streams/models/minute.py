"""The ledger by the minute: what charts read instead of batches."""

from django.db import models

from streams.models.stream import Stream


class Minute(models.Model):
    """What one stream stored in one minute; a minute without a batch has no row. Lags are in
    seconds and the worst of the minute's batches."""

    pk = models.CompositePrimaryKey("stream_id", "at")
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="+", db_index=False)
    # Its first moment, by when the batches were stored.
    at = models.DateTimeField()
    batches = models.IntegerField()
    inserts = models.BigIntegerField()
    modifies = models.BigIntegerField()
    removes = models.BigIntegerField()
    repeated = models.BigIntegerField()
    poison = models.BigIntegerField()
    size = models.BigIntegerField()
    # From the newest change to its storing; NULL if the minute had no change. The source may round
    # a change's time down (DynamoDB: to the second), and so the lag up.
    source_lag = models.FloatField(null=True)
    # From reading a page to storing it.
    pipeline_lag = models.FloatField()

    def __str__(self) -> str:
        return f"{self.stream_id} at {self.at}"


class RollHead(models.Model):
    """One row: the feed position up to which batches are rolled up."""

    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.position)
