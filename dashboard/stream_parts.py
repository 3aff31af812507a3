"""What the stream's page shows, made from what the queries found."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.chart_range import ChartRange
from dashboard.charts import Line, Stacked, in_one_unit, line, stacked
from dashboard.feed.links import search_for
from dashboard.feed.preview import decode, key_label
from streams import item_key
from streams.bins import Bin
from streams.change import OPERATIONS
from streams.models import Stream
from streams.queries.hot import Hot
from streams.queries.latency import BATCHES, EDGES, Latency
from streams.queries.series import Stretch
from streams.queries.shard_map import ENDED, Node, counted, shard_map
from streams.queries.shards import ShardStatuses
from streams.rules.spelling.value_text import quoted

VIEW_WORDS = {
    "NEW_AND_OLD_IMAGES": "Every change shows what the item was and what it became.",
    "NEW_IMAGE": "New images only: old values come from our own history, where the version before "
    "is stored.",
    "OLD_IMAGE": "Old images only: new values come from our own history, where the version after "
    "is stored.",
    "KEYS_ONLY": "Keys only: the history says which items changed and when, not what in them.",
}
# A page of the shard map; up to so many shards all are shown, the ended ones too.
SHARDS = 100
# Bars this many units wide, so that places in the picture stay short numbers.
_WIDE, _THIN, _FEW = 10, 2, 120


class Row(NamedTuple):
    """A row of the table beside the charts; lags in seconds, None where there is none."""

    start: datetime
    counts: list[int]
    source_lag: float | None
    pipeline_lag: float | None
    search: str


class Charts(NamedTuple):
    """`data` is what chart.js reads: a row a bin, its counts and its lags in milliseconds."""

    throughput: Stacked
    source_lag: Line
    pipeline_lag: Line
    rows: list[Row]
    ticks: list[datetime]
    step: str
    data: dict[str, Any]
    search: str


def search_url(stream: str, since: datetime | None = None, until: datetime | None = None) -> str:
    return search_for(f"stream:{stream}", since, until)


def charts(stream: str, chosen: ChartRange, found: Sequence[Stretch]) -> Charts:
    """Of the stretches of a range; none at all is the same as all empty."""
    stretches = found or [
        Stretch(Bin(chosen.since + chosen.step * number, {})) for number in range(chosen.bins)
    ]
    width = chosen.bins * (_WIDE if chosen.bins <= _FEW else _THIN)
    source = [stretch.source_lag for stretch in stretches]
    pipeline = [stretch.pipeline_lag for stretch in stretches]
    highest = max((lag for lag in (*source, *pipeline) if lag is not None), default=0.0)
    quarter = (chosen.until - chosen.since) / 4
    data = {
        "since": chosen.since.timestamp() * 1000,
        "step": chosen.step.total_seconds() * 1000,
        "search": search_url(stream),
        "rows": [
            [
                *_counts([stretch]),
                _milliseconds(stretch.source_lag),
                _milliseconds(stretch.pipeline_lag),
            ]
            for stretch in stretches
        ],
    }
    return Charts(
        stacked([stretch.bin for stretch in stretches], width=width, height=120),
        line(source, width=width, height=80, highest=highest, unit="s"),
        line(pipeline, width=width, height=80, highest=highest, unit="s"),
        _rows(stream, chosen, stretches),
        [chosen.since + quarter * number for number in range(4)],
        in_one_unit(chosen.step.total_seconds()),
        data,
        search_url(stream, chosen.since, chosen.until),
    )


def _rows(stream: str, chosen: ChartRange, stretches: Sequence[Stretch]) -> list[Row]:
    size = chosen.per_row
    rows = []
    for first in range(0, len(stretches), size):
        some = stretches[first : first + size]
        start = some[0].bin.start
        until = start + chosen.step * len(some)
        rows.append(
            Row(
                start,
                _counts(some),
                _worst([stretch.source_lag for stretch in some]),
                _worst([stretch.pipeline_lag for stretch in some]),
                search_url(stream, start, until),
            )
        )
    return rows[::-1]


def _counts(stretches: Sequence[Stretch]) -> list[int]:
    return [sum(each.bin.counts.get(name, 0) for each in stretches) for name in OPERATIONS]


def _worst(lags: Sequence[float | None]) -> float | None:
    return max((lag for lag in lags if lag is not None), default=None)


def _milliseconds(lag: float | None) -> int | None:
    return None if lag is None else round(lag * 1000)


def latency_rows(found: Latency) -> dict[str, Any]:
    """The bars with their words and their share in percent."""
    edges = [in_one_unit(edge) for edge in EDGES]
    words = [f"under {edges[0]}"]
    words += [f"{low} – {high}" for low, high in pairwise(edges)]
    words.append(f"{edges[-1]} or more")
    total = found.total
    within = {share: found.within(share / 100) for share in (50, 95, 99)}
    return {
        "found": found,
        "bars": [
            (name, count, 100 * count / total if total else 0)
            for name, count in zip(words, found.counts, strict=True)
        ],
        "within": [(share, in_one_unit(edge)) for share, edge in within.items() if edge],
        "full": found.batches >= BATCHES,
    }


class ShardPage(NamedTuple):
    """`nodes` of this page; `letters` counts all; `hidden` ended ones are left out; addresses of
    the neighbouring pages, "" if there is none."""

    nodes: list[Node]
    letters: list[tuple[str, str, int]]
    total: int
    hidden: int
    all: bool
    more: bool
    first: int
    older: str
    newer: str


def shard_page(found: ShardStatuses, given: Mapping[str, str]) -> ShardPage:
    """A few shards are all shown; of many, the ended ones only on demand, and a page at a time."""
    nodes = shard_map(found.shards)
    show_all = given.get("shards") == "all" or len(nodes) <= SHARDS
    shown = nodes if show_all else [node for node in nodes if node.letter != ENDED]
    text = given.get("shard_page", "1")
    number = int(text) if text.isdecimal() and len(text) < 6 else 1
    pages = max(1, -(-len(shown) // SHARDS))
    number = min(max(1, number), pages)
    chosen = {"shards": "all"} if given.get("shards") == "all" else {}

    def page(which: int) -> str:
        return f"?{urlencode({**chosen, 'shard_page': which})}#shards"

    first = (number - 1) * SHARDS
    return ShardPage(
        shown[first : first + SHARDS],
        counted(nodes),
        len(nodes),
        len(nodes) - len(shown),
        show_all,
        found.more,
        first,
        page(number + 1) if number < pages else "",
        page(number - 1) if number > 1 else "",
    )


def hot_parts(stream: Stream, found: Hot) -> dict[str, Any]:
    """The items with their addresses, and the fields with theirs."""
    items = []
    for item in found.items:
        keys = decode(item.keys)
        items.append(
            {
                "label": key_label(keys, 120),
                "url": reverse("item", args=[stream.name, item_key.token_of(keys)]),
                "changes": item.changes,
                "percent": 100 * item.share,
            }
        )
    fields = [
        {
            "field": field,
            "ignored": field.name in stream.ignored_fields,
            "url": search_for(f"stream:{stream.name} changed:{quoted(field.name)}"),
        }
        for field in found.fields
    ]
    return {"found": found, "items": items, "fields": fields}
