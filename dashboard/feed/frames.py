"""The frames that a subscriber is sent, made from what it knows."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from dashboard.feed import protocol
from dashboard.feed.collection_gaps import CollectionGap
from dashboard.feed.columns import Columns
from dashboard.feed.hub import Hub
from dashboard.feed.links import range_url, search_url
from dashboard.feed.plan import Plan, Skipped
from dashboard.feed.protocol import BACKLOG_ROWS, ROWS_PER_SECOND
from dashboard.feed.ring import Row
from dashboard.feed.selection import LeftOut, Selection
from streams.queries.feed import Cursor
from streams.when import iso


class Place(NamedTuple):
    """Of a frame: its number in the epoch, and the cursor from which it goes on."""

    epoch: int
    n: int
    cursor: Cursor


def ready(epoch: int, cursor: Cursor, cap: int) -> str:
    return protocol.encode(
        {
            "type": "ready",
            "epoch": epoch,
            "columns": protocol.COLUMNS,
            "limits": {
                "rows": cap // protocol.TICKS_A_SECOND,
                "tick": protocol.TICK_SECONDS,
                "backlog": BACKLOG_ROWS,
                "rows_per_second": cap,
                "most_rows_per_second": ROWS_PER_SECOND[-1],
            },
            "server_time": iso(datetime.now(UTC), "milliseconds"),
            "cursor": str(cursor),
        }
    )


def batch(place: Place, plan: Plan, columns: Columns, left_out: LeftOut) -> str:
    """`left_out` is counted since the epoch began, up to the plan's end."""
    message: protocol.Batch = {
        "type": "batch",
        "epoch": place.epoch,
        "n": place.n,
        "rows": data(plan.rows, columns),
        "behind": plan.behind,
    }
    if plan.sampled:
        message["sampled"] = plan.sampled
    _count(message, left_out)
    return protocol.encode(message, from_=str(place.cursor), to=str(plan.upto))


def gap(
    place: Place,
    skipped: Skipped,
    reason: protocol.Reason,
    selection: Selection,
    left_out: LeftOut,
) -> str:
    """`left_out` as in a batch."""
    message: protocol.Gap = {
        "type": "gap",
        "epoch": place.epoch,
        "n": place.n,
        "count": sum(skipped.operations.values()),
        "operations": dict(skipped.operations),
        "reason": reason,
        "url": _range_url(selection, place.cursor, skipped.upto),
    }
    if skipped.unasked:
        message["unasked"] = True
    _count(message, left_out)
    return protocol.encode(message, from_=str(place.cursor), to=str(skipped.upto))


def collection_gap(place: Place, found: CollectionGap) -> str:
    message: protocol.Gap = {
        "type": "gap",
        "epoch": place.epoch,
        "n": place.n,
        "count": None,
        "operations": {},
        "reason": "collection",
        "url": found.url,
        "text": found.text,
    }
    return protocol.encode(message, from_=str(place.cursor), to=str(place.cursor))


def choice(
    epoch: int,
    cursor: Cursor,
    waiting: Skipped,
    times: tuple[datetime, datetime] | None,
    selection: Selection,
) -> str:
    message: protocol.Choice = {
        "type": "choice",
        "epoch": epoch,
        "count": sum(waiting.operations.values()),
        "operations": dict(waiting.operations),
        "search_url": search_url(selection, times),
        "range_url": _range_url(selection, cursor, waiting.upto),
    }
    if waiting.unasked:
        message["unasked"] = True
    return protocol.encode(message, from_=str(cursor), to=str(waiting.upto))


def stats(
    epoch: int,
    hub: Hub,
    selection: Selection,
    cursor: Cursor | None,
    unseen: int,
    left_out: LeftOut,
) -> str:
    coming, names = hub.arrivals.of(selection.ids), hub.names
    busiest = [(names[id_], n) for id_, n in coming.busiest or () if id_ in names]
    message: protocol.Stats = {
        "type": "stats",
        "epoch": epoch,
        "unseen": unseen,
        "rate": coming.rate,
        "per_op": coming.by_operation,
        "per_stream": None if coming.busiest is None else busiest,
        "hidden": left_out.hidden,
        "noise": left_out.noise,
        "rows_per_second": hub.guard.cap(selection.rows_per_second),
        "lag": round(hub.lag, 3),
    }
    if cursor:
        message["cursor"] = str(cursor)
    if hub.late:
        message["late"] = hub.late
    return protocol.encode(message)


def capped(asked: int, cap: int) -> str:
    """That the guard changed a viewer's rate."""
    if cap < asked:
        text = f"The server is busy: at most {cap:,} rows a second are listed, not {asked:,}."
        text += " Counts, search and alerts are complete."
        return protocol.encode({"type": "notice", "code": "cap-lowered", "text": text})
    text = f"Up to {asked:,} rows a second are listed again."
    return protocol.encode({"type": "notice", "code": "cap-restored", "text": text})


def data(rows: Sequence[Row], columns: Columns) -> list[msgspec.Raw]:
    """The rows as they are, or each with its previews as one more element."""
    if not columns:
        return [row.data for row in rows]
    return list(_with_cells(rows, columns))


def _count(message: protocol.Batch | protocol.Gap, left_out: LeftOut) -> None:
    if left_out.hidden:
        message["hidden"] = left_out.hidden
    if left_out.noise:
        message["noise"] = left_out.noise


def _with_cells(rows: Iterable[Row], columns: Columns) -> Iterable[msgspec.Raw]:
    for row in rows:
        yield msgspec.Raw(b"%b,%b]" % (bytes(row.data)[:-1], bytes(row.cells[columns])))


def _range_url(selection: Selection, after: Cursor, upto: Cursor) -> str:
    streams = selection.streams or ()
    return range_url(after, upto, streams, selection.text, noise=selection.noise)
