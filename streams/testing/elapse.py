"""Let time pass for a stream without waiting: everything that is written down about it moves into
the past, so that to the database's clock it is longer ago."""

from datetime import timedelta
from typing import Any

from django.db import connection

from streams.models import Batch, Gap, Problem, Shard, Stream

_TABLES: dict[Any, str] = {Shard: "stream_id", Gap: "stream_id", Problem: "stream_id",
                           Batch: "stream_id", Stream: "id"}  # fmt: skip


def let_pass(stream: Stream, **span: float) -> None:
    """As if so much time (of `timedelta`) had passed since the last thing that happened."""
    with connection.cursor() as cursor:
        for model, column in _TABLES.items():
            times = [
                f.column for f in model._meta.fields if f.get_internal_type() == "DateTimeField"
            ]
            moved = ", ".join(f"{name} = {name} - %(span)s" for name in times)
            parameters: Any = {"span": timedelta(**span), "stream": stream.pk}
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET {moved} WHERE {column} = %(stream)s",
                parameters,
            )
