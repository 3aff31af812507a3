"""Evaluating what matched, with the evaluator that live matches go through."""

import heapq
from array import array
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from streams.alerting.evaluate import (
    Evaluator,
    Grew,
    Happening,
    Opened,
    Resolved,
    Step,
    Suppressed,
)
from streams.queries.backtest_hits import Hits

# Of the alerts so many are kept, the newest; all are counted.
_MOST_ALERTS = 10_000


class Alerted:
    """An alert that would have been; times in microseconds since 1970. `ref` is the hit that opened
    it, None where none did."""

    __slots__ = ("count", "group", "opened", "ref", "resolved", "sentence", "suppressed")

    def __init__(self, group: str, opened: Opened) -> None:
        self.group, self.opened, self.sentence = group, opened.at, opened.sentence
        self.resolved: int | None = None
        self.count, self.suppressed = opened.count, 0
        self.ref: int | None = opened.refs[-1] if opened.refs else None


class Run(NamedTuple):
    """`alerts` are the newest, the newest first; `opened` is when each of all opened, in order."""

    alerts: list[Alerted]
    opened: "array[int]"
    suppressed: int


def run(evaluator: Evaluator, hits: Hits, begin: Step, until: int) -> Run:
    """Feed the hits, group by group, and let time pass up to `until`. `begin` is what the rule
    begins with, of the group "" (evaluator.begin, or with a past)."""
    keeping = _Keeping()
    begun = False
    for group, fed in hits.by_group():
        step = Step(None, [], None)
        if not group:
            begun, step = True, begin
        story = _Story(group, keeping)
        story.follow(step.happenings)
        state = step.state
        for hit in fed:
            step = evaluator.feed(state, hit)
            state = step.state
            if step.happenings:
                story.follow(step.happenings)
        story.end(evaluator.advance(state, until).happenings)
    if not begun and begin.state is not None:
        story = _Story("", keeping)
        story.end(evaluator.advance(begin.state, until).happenings)
    return Run(keeping.newest(), array("q", sorted(keeping.opened)), keeping.suppressed)


class _Keeping:
    def __init__(self) -> None:
        self.opened = array("q")
        self.suppressed = 0
        self._heap: list[tuple[int, int, Alerted]] = []
        self._numbers: Iterator[int] = count()

    def keep(self, alert: Alerted) -> None:
        self.opened.append(alert.opened)
        entry = (alert.opened, next(self._numbers), alert)
        if len(self._heap) < _MOST_ALERTS:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def newest(self) -> list[Alerted]:
        return [alert for _, _, alert in sorted(self._heap, reverse=True)]


class _Story:
    """The alerts of one group, one after another."""

    def __init__(self, group: str, keeping: _Keeping) -> None:
        self._group, self._keeping = group, keeping
        self._last: Alerted | None = None

    def follow(self, happenings: list[Happening]) -> None:
        for happening in happenings:
            match happening:
                case Opened():
                    self._keep()
                    self._last = Alerted(self._group, happening)
                case Suppressed():
                    self._keeping.suppressed += 1
                    if self._last:
                        self._last.suppressed += 1
                case Grew() if self._last:
                    self._last.count += 1
                case Resolved(at, _) if self._last:
                    self._last.resolved = at

    def end(self, happenings: list[Happening]) -> None:
        self.follow(happenings)
        self._keep()

    def _keep(self) -> None:
        if self._last:
            self._keeping.keep(self._last)
