"""Backtest: what a rule would have done on the stored history, by the evaluator of live matches.

The time that is asked for is that of the feed: when changes got their place there. So a backtest
takes just the changes that a live rule would have met then, late ones at the moment they came.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from streams.alerting.definition import Definition, FirstSeen
from streams.alerting.evaluate import Evaluator, Step, evaluator_of
from streams.alerting.grouping import group_of
from streams.alerting.rate import RateEvaluator
from streams.change import microseconds, moment
from streams.models import Stream
from streams.queries.backtest_hits import Hits
from streams.queries.backtest_result import MatchBin, PastAlert, PastMatch, Result, invalid
from streams.queries.backtest_run import Alerted, Run, run
from streams.queries.backtest_verdict import Facts, verdict_of
from streams.queries.explained import explain_change
from streams.queries.feed_time import first_position_at
from streams.queries.matched import Found, Matched, Place, is_over, portions
from streams.queries.past import Thing, images_of, keep_first, seen_before, usual
from streams.queries.search_bins import parts_of

__all__ = ["Result", "backtest", "explain_change", "invalid"]

# More matches, or things seen, are not kept in memory: the backtest ends with them, as it does when
# its time is over.
MOST_HITS = 1_500_000
_LAST_MATCHES = 20


def backtest(
    definition: Definition,
    *,
    since: datetime,
    until: datetime | None = None,
    streams: Sequence[Stream] | None = None,
    budget_seconds: float | None = None,
    digest_seconds: int = 0,
) -> Result:
    """What the rule would have done from `since` up to, not including, `until` (None: now), in
    these streams (None: all). A budget that is over ends the look back in time, and the verdict
    says so; a rule with a query that cannot be is refused by `define`."""
    now = datetime.now(UTC)
    until = min(until or now, now)
    if definition.kind == "health":
        return invalid(
            "No changes make a health rule's alerts, so none can be tried.", since, until
        )
    if since >= until:
        return invalid("The backtest begins after its end: choose an earlier begin.", since, until)
    some = list(Stream.objects.all()) if streams is None else list(streams)
    look = _Look(definition, some, since, until, budget_seconds)
    evaluator = evaluator_of(definition)
    done = run(evaluator, look.hits, look.begin(evaluator), microseconds(until))
    return _result(look, done, digest_seconds)


class _Look:
    """What is found: the hits, how many changes were evaluated, and back to when."""

    def __init__(
        self,
        definition: Definition,
        streams: Sequence[Stream],
        since: datetime,
        until: datetime,
        budget_seconds: float | None,
    ) -> None:
        self.definition, self.streams = definition, streams
        # Half of the time is for what came before, where a rule must know that.
        share = 0.5 if definition.kind in ("first-seen", "rate") else 1.0
        self._ends = _after(budget_seconds, share)
        self._deadline = _after(budget_seconds)
        self.since = self.back_to = since
        self.until = until
        self.known_to: datetime | None = None
        self.evaluated, self.hits = 0, Hits()
        self._places: dict[Thing, Place] = {}
        self._take = self._take_things if definition.kind == "first-seen" else self._take_hit
        first, last = first_position_at(since), first_position_at(until) - 1
        self._read(first, last)
        if isinstance(definition.params, FirstSeen):
            self._find_new(first)

    def begin(self, evaluator: Evaluator) -> Step:
        """What the rule begins with at the time looked back to."""
        begin = microseconds(self.back_to)
        if not isinstance(evaluator, RateEvaluator):
            return evaluator.begin(begin)
        past = usual(self.definition, self.streams, self.back_to, self.until, self._deadline)
        self.known_to = past.back_to
        return evaluator.begin_with(past.first, past.counts, begin)

    def _read(self, first: int, last: int) -> None:
        reading = Matched(self.definition.filters(), self.streams, images_of(self.definition))
        for portion in portions(first, last, self.streams):
            for found in reading.within(portion):
                self._take(found)
            self.evaluated += portion.changes
            full = max(len(self.hits), len(self._places)) >= MOST_HITS
            if portion.first > first and (full or is_over(self._ends)):
                self.back_to = moment(portion.batches[-1].clock)
                return

    def _take_hit(self, found: Found) -> None:
        group = group_of(self.definition.group_by, found.stream.name, found.change)
        for part in found.parts:
            self.hits.add(Place.of(found), found.stream.name, part, group)

    def _take_things(self, found: Found) -> None:
        keep_first(self._places, self.definition, found)

    def _find_new(self, first: int) -> None:
        """Of what was met, what had not been met before."""
        if self.back_to > self.since:
            first = first_position_at(self.back_to)
        things = set(self._places)
        known, self.known_to = seen_before(
            self.definition, self.streams, things, first - 1, self._deadline
        )
        names = {stream.pk: stream.name for stream in self.streams}
        for thing, place in self._places.items():
            if thing not in known:
                self.hits.add(place, names[thing.stream_id], 1, thing.what)


def _after(seconds: float | None, share: float = 1.0) -> float | None:
    return None if seconds is None else time.monotonic() + seconds * share


def _result(look: _Look, done: Run, digest_seconds: int) -> Result:
    hits, opened = look.hits, done.opened
    told = _notifications(opened, digest_seconds * 1_000_000)
    facts = Facts(look.evaluated, len(hits), len(opened), done.suppressed, told, look.known_to)
    verdict, sentence = verdict_of(
        facts, look.definition, look.streams, look.since, look.back_to, look.until
    )
    days = (look.until - look.back_to).total_seconds() / 86_400
    return Result(
        verdict=verdict,
        sentence=sentence,
        since=look.since,
        until=look.until,
        looked_back_to=look.back_to,
        evaluated=look.evaluated,
        matched=len(hits),
        fired=len(opened),
        suppressed=done.suppressed,
        notifications=told,
        notifications_a_day=told / max(days, 1e-6),
        alerts=[_alert(alert, hits) for alert in done.alerts],
        bins=_bins(look),
        last_matches=[
            PastMatch(o.change, moment(o.occurred), o.stream, o.group, o.part)
            for o in hits.newest(_LAST_MATCHES)
        ],
    )


def _alert(alert: Alerted, hits: Hits) -> PastAlert:
    return PastAlert(
        opened_at=moment(alert.opened),
        resolved_at=None if alert.resolved is None else moment(alert.resolved),
        group=alert.group,
        sentence=alert.sentence,
        matches=alert.count,
        suppressed=alert.suppressed,
        change="" if alert.ref is None else hits.change(alert.ref),
    )


def _bins(look: _Look) -> list[MatchBin]:
    parts = parts_of(look.since, look.until)
    counts = Counter(map(parts.place, look.hits.clocks()))
    return [MatchBin(parts.begin + parts.step * n, counts[n]) for n in range(parts.number)]


def _notifications(opened: Sequence[int], digest: int) -> int:
    """How many messages tell of alerts that opened then: a digest tells of all that opened since
    its first."""
    if not digest:
        return len(opened)
    told, until = 0, None
    for at in opened:
        if until is None or at > until:
            told, until = told + 1, at + digest
    return told
