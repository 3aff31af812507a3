"""What is unwell now, rule by rule: for stages/health.py.

The overview and the watch judge; this only compares their judgement with what a rule says. Looked
up once a check, and only as far as some rule asks.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from streams.alerting.definition import Health
from streams.models import Destination, Gap, Problem, Stream
from streams.models.problem import in_state
from streams.queries.overview import (
    NO_BEAT,
    NO_WORKER,
    SignsOfLife,
    StreamStatus,
    gap_sentence,
    signs_of_life,
    statuses,
)
from streams.queries.services import refusal
from streams.state import spell

_THROTTLED = ("too-many-readers", "throttled")
# A delivery that failed so often fails; once or twice happens to every receiver.
_TRIES = 3
# Of so many tries, the newest, one is looked for; a destination without one keeps its state.
_ATTEMPTS = 1_000
# A gap that was found so long ago and not told is not told any more.
GAPS_FOR = timedelta(days=7)


class Finding(NamedTuple):
    """Something unwell, in words, with what to do. `stream_id` None is the installation."""

    sentence: str
    fix: str
    stream_id: int | None = None


class Found(NamedTuple):
    """By an alert's group (a stream's name, a destination's, or ""). `excused` says of which
    groups nothing is said now, and why; `unknown` are those of which nothing is known now."""

    unwell: dict[str, Finding]
    excused: dict[str, str]
    unknown: frozenset[str] = frozenset()


class Look:
    """One look at everything."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            self.now: datetime = cursor.fetchone()[0]

    @cached_property
    def statuses(self) -> list[StreamStatus]:
        return statuses()

    @cached_property
    def _signs(self) -> SignsOfLife:
        return signs_of_life()

    @cached_property
    def _refusal(self) -> str:
        return refusal()

    @cached_property
    def _throttled(self) -> dict[int | None, Problem]:
        """The worst open problem of each stream that is throttled; ignored ones are not open."""
        open_ = Problem.objects.filter(in_state("open", timezone.now()), kind__in=_THROTTLED)
        return {each.stream_id: each for each in open_.order_by("-kind", "last_seen")}

    def find(self, params: Health, open_groups: Collection[str]) -> Found:
        """What a rule's settings ask for, gaps left out. `open_groups` have an open alert of the
        rule."""
        if params.what == "deliveries":
            return _deliveries(open_groups)
        if params.what in ("worker", "beat"):
            return self._installation(params.what)
        chosen = [
            each for each in self.statuses if not params.streams or each.name in params.streams
        ]
        excused = {
            group: "The stream was deleted, or the rule does not watch it any more."
            for group in set(open_groups) - {each.name for each in chosen}
        }
        unwell = {}
        for status in chosen:
            # A pause is meant, and what it does is told on the overview; but what is lost by a
            # pause that somebody forgot is lost all the same.
            if status.paused and params.what != "loss":
                excused[status.name] = "The stream was paused."
            elif found := self._of_stream(params, status):
                unwell[status.name] = found
        return Found(unwell, excused)

    def _installation(self, what: str) -> Found:
        well = self._signs.reading if what == "worker" else self._signs.beating
        if well:
            return Found({}, {})
        sentence, fix = NO_WORKER if what == "worker" else NO_BEAT
        return Found({"": Finding(sentence, self._refusal or fix)}, {})

    def _of_stream(self, params: Health, status: StreamStatus) -> Finding | None:
        limit = timedelta(seconds=params.limit)
        if params.what == "lag":
            return _lag(status, limit)
        if params.what == "loss":
            return _loss(status, limit)
        if params.what == "stalled":
            if not status.stands_still:
                return None
            return Finding(f"{status.name}: {status.sentence}", _MEND, status.id)
        problem = self._throttled.get(status.id)
        if problem is None:
            return None
        return Finding(f"{status.name}: {problem.sentence}", problem.fix, status.id)


_MEND = "The stream's page and its problems say why. Reading goes on by itself, from where it was."


def _lag(status: StreamStatus, limit: timedelta) -> Finding | None:
    lag = timedelta(seconds=status.lag_seconds or 0)
    if lag <= limit:
        return None
    fix = (
        f"It is not read: {status.sentence}"
        if status.stands_still
        else "If the lag grows, start more workers. The stream's page shows which shard is behind."
    )
    return Finding(f"{status.name} is behind by {spell(lag)}.", fix, status.id)


def _loss(status: StreamStatus, limit: timedelta) -> Finding | None:
    if status.time_left_seconds is None or status.time_left_seconds >= limit.total_seconds():
        return None
    left = timedelta(seconds=status.time_left_seconds)
    said = f"will be lost in {spell(left)}" if left else "may be lost already, more every minute"
    fix = "Resume the stream." if status.paused else f"{status.sentence} {_MEND}"
    return Finding(f"{status.name}: unread changes {said}.", fix, status.id)


def gaps(params: Health, now: datetime, since: datetime) -> dict[str, Finding]:
    """The gaps that were recorded after `since`, and lately, oldest first; not the harmless. Each
    has a group of its own, which ends with its number."""
    found = Gap.objects.filter(
        detected_at__gt=max(since, now - GAPS_FOR), harmless_at=None
    ).select_related("stream")
    if params.streams:
        found = found.filter(stream__name__in=params.streams)
    return {
        f"{gap.stream.name}, gap {gap.pk}": Finding(
            f"{gap.stream.name}: {gap_sentence(_row(gap))}", _GAP_FIX, gap.stream_id
        )
        for gap in found.order_by("detected_at", "pk")
    }


_GAP_FIX = (
    "What is lost cannot be read again. The items' pages and every export show the gap; note on "
    "the alert what came of it, and resolve it."
)


def _row(gap: Gap) -> dict[str, Any]:
    names = ("reason", "from_at", "to_at", "growing")
    stream: Stream = gap.stream
    return {name: getattr(gap, name) for name in names} | {
        "paused_at": stream.paused_at,
        "paused_by": stream.paused_by,
        "kind": None,
    }


# Of each destination that is switched on: its newest try that tells of a failure, and its newest
# success. A try in between, the first or second of its delivery, tells nothing yet.
_TRIED = """
    SELECT t.name, max(a.id) FILTER (WHERE a.succeeded) AS good,
           max(a.id) FILTER (WHERE NOT a.succeeded AND d.reason <> 'test'
                             AND (d.tries >= %s OR d.state = 'failed')) AS bad
    FROM (SELECT * FROM streams_attempt ORDER BY id DESC LIMIT %s) a
    JOIN streams_delivery d ON d.id = a.delivery_id
    JOIN streams_destination t ON t.id = d.destination_id
    WHERE t.enabled GROUP BY t.id
"""


def _deliveries(open_groups: Collection[str]) -> Found:
    """A destination fails from a delivery's third failed try, or its last, until one succeeds."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIED, [_TRIES, _ATTEMPTS])
        tried = {name: (good or 0, bad or 0) for name, good, bad in cursor.fetchall()}
        failing = [bad for good, bad in tried.values() if bad > good]
        cursor.execute("SELECT id, response FROM streams_attempt WHERE id = ANY(%s)", [failing])
        said = dict(cursor.fetchall())
    unwell = {
        name: Finding(
            f"Deliveries to {name} fail: {said[bad].strip()[:300] or 'no reason was given'}",
            "Mend the destination and send it a test message; what waits is tried again by itself.",
        )
        for name, (good, bad) in tried.items()
        if bad > good
    }
    enabled = set(Destination.objects.filter(enabled=True).values_list("name", flat=True))
    gone = set(open_groups) - enabled
    return Found(
        unwell,
        dict.fromkeys(gone, "The destination was deleted or switched off."),
        frozenset(set(open_groups) & enabled - tried.keys()),
    )
