"""The rows of the overview: which streams it shows, in which order and groups, and what beside
their state."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from dashboard.sparks import Spark, highest, spark
from streams.queries import glance
from streams.queries.alert_list import open_by_stream
from streams.queries.hour import NO_CHANGE, Hour
from streams.queries.overview import StreamStatus
from streams.sources.registry import RETENTION
from streams.state import ORDER

SORTS = {
    "worst": "Worst first",
    "name": "Name",
    "rate": "Changes/s",
    "lag": "Lag",
    "last": "Last change",
}
GROUPS = {"": "No groups", "account": "Account", "region": "Region", "state": "State"}
SCALES = {"own": "Own", "shared": "Shared"}
# From so many on, a stream's shards are counted and not drawn one by one.
_MOST_CELLS = 64
# So long after the last read that was proven, the time left is counted down.
_COUNTDOWN_AFTER = 6 * 3600
_MOST_TEXT = 200
# Worst first, so that what matters is on the first page; each has a bounded cost.
PER_PAGE = 100
_PAGES = {str(page) for page in range(1, 1000)}
_WORDS = {
    glance.OK: "ok",
    glance.LAGGING: "lagging",
    glance.BLOCKED: "blocked",
    glance.DRAINING: "draining",
    glance.WAITING: "waiting",
    glance.PAUSED: "paused",
}
_NEVER = datetime.min.replace(tzinfo=UTC)


class Choice(NamedTuple):
    """How the reader wants to see the streams."""

    filter: str
    sort: str
    group: str
    scale: str
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Choice":
        return cls(
            given.get("filter", "").strip()[:_MOST_TEXT],
            _one_of(SORTS, given.get("sort", "")),
            _one_of(GROUPS, given.get("group", "")),
            _one_of(SCALES, given.get("scale", "")),
            int(page) if (page := given.get("page", "")) in _PAGES else 1,
        )

    def url(self, **other: Any) -> str:
        """The address of the overview so chosen, with nothing in it that is the default."""
        given = {**self._asdict(), "page": 1, **other}
        defaults = {"filter": "", "sort": "worst", "group": "", "scale": "own", "page": 1}
        query = urlencode({name: text for name, text in given.items() if text != defaults[name]})
        return f"/?{query}" if query else "/"

    def sort_urls(self) -> dict[str, str]:
        return {name: self.url(sort=name) for name in SORTS}


class Row(NamedTuple):
    """`place` is account and region; `cells` are letters, one a shard, empty where there are too
    many; `left_percent` is how much is left of the time that the source keeps unread changes, None
    if nothing is counted down."""

    status: StreamStatus
    place: str
    pinned: bool
    spark: Spark
    cells: str
    shards: str
    left_percent: int | None
    errors: int
    alerts: int


@dataclass(frozen=True)
class Part:
    """The rows under one heading; "" without groups. `count` is of all pages."""

    heading: str
    count: int
    rows: list[Row]


@dataclass(frozen=True)
class Table:
    """A page of the streams that pass the filter. `count` is how many pass; `before` and
    `after` are the addresses of the pages next to it, "" at the ends."""

    parts: list[Part]
    count: int
    before: str
    after: str


def table(
    statuses: Sequence[StreamStatus],
    choice: Choice,
    pins: frozenset[int],
    hours: Mapping[int, Hour],
) -> Table:
    """What the table shows."""
    chosen = [status for status in statuses if _passes(status, choice.filter)]
    chosen.sort(key=_SORTING[choice.sort])
    chosen.sort(key=lambda status: status.id not in pins)
    if choice.group:
        chosen.sort(key=lambda status: _heading(status, choice))
    begin = (choice.page - 1) * PER_PAGE
    shown = chosen[begin : begin + PER_PAGE]
    counts = Counter(_heading(status, choice) for status in chosen)
    return Table(
        parts=[
            Part(heading, counts[heading], rows)
            for heading, rows in _rows(shown, choice, pins, hours).items()
        ],
        count=len(chosen),
        before=choice.url(page=choice.page - 1) if choice.page > 1 else "",
        after=choice.url(page=choice.page + 1) if begin + PER_PAGE < len(chosen) else "",
    )


def _rows(
    shown: Sequence[StreamStatus],
    choice: Choice,
    pins: frozenset[int],
    hours: Mapping[int, Hour],
) -> dict[str, list[Row]]:
    top = highest(hours.values()) if choice.scale == "shared" else 0
    letters, errors = glance.shard_letters(), glance.errors_lately()
    alerts = open_by_stream()
    grouped: dict[str, list[Row]] = {}
    for status in shown:
        found = letters.get(status.id, {})
        row = Row(
            status=status,
            place=" · ".join(filter(None, (status.account, status.region))),
            pinned=status.id in pins,
            spark=spark(hours.get(status.id, NO_CHANGE), top),
            cells=_cells(found),
            shards=_counted(found),
            left_percent=_left_percent(status),
            errors=errors.get(status.id, 0),
            alerts=alerts.get(status.id, 0),
        )
        grouped.setdefault(_heading(status, choice), []).append(row)
    return grouped


def _heading(status: StreamStatus, choice: Choice) -> str:
    return str(getattr(status, choice.group)) or "unknown" if choice.group else ""


def _one_of(choices: Mapping[str, str], given: str) -> str:
    """The first is the default."""
    return given if given in choices else next(iter(choices))


def _passes(status: StreamStatus, filter_: str) -> bool:
    told = (status.name, status.table, status.account, status.region, status.state)
    text = " ".join(told).lower()
    return all(word in text for word in filter_.lower().split())


def _by_badness(status: StreamStatus) -> tuple[Any, ...]:
    left = status.time_left_seconds
    return (
        ORDER.index(status.state),
        float("inf") if left is None else left,
        -(status.lag_seconds or 0),
        status.name,
    )


_SORTING: dict[str, Callable[[StreamStatus], Any]] = {
    "worst": _by_badness,
    "name": lambda status: status.name,
    "rate": lambda status: (-status.rate, status.name),
    "lag": lambda status: (-(status.lag_seconds or 0), status.name),
    "last": lambda status: (_NEVER - (status.last_change_at or _NEVER), status.name),
}


def _cells(letters: Mapping[str, int]) -> str:
    if sum(letters.values()) > _MOST_CELLS:
        return ""
    return "".join(letter * count for letter, count in letters.items())


def _counted(letters: Mapping[str, int]) -> str:
    """`8 open, 1 draining`; what is not simply ok is named."""
    if not letters:
        return "none open"
    open_ = sum(letters.values()) - letters.get(glance.DRAINING, 0)
    named = [
        f"{count:,} {_WORDS[letter]}" for letter, count in letters.items() if letter != glance.OK
    ]
    return ", ".join([f"{open_:,} open", *named])


def _left_percent(status: StreamStatus) -> int | None:
    if status.time_left_seconds is None or status.state in ("starting", "waiting"):
        return None
    kept = RETENTION[status.source].total_seconds()
    if kept - status.time_left_seconds < _COUNTDOWN_AFTER:
        return None
    return round(100 * status.time_left_seconds / kept)
