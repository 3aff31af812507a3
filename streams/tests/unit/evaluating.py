"""Rules and hits for the tests of evaluators."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from streams.alerting.definition import Definition, define
from streams.alerting.evaluate import (
    Evaluator,
    Grew,
    Happening,
    Hit,
    Opened,
    State,
    Step,
    Suppressed,
)

SECOND = 1_000_000
# A Monday at midnight, in microseconds.
MONDAY = 1_800_230_400 * SECOND
WEEK = 7 * 86_400


def rule(kind: str, *, resolve: int = 60, cool_down: int = 0, **params: Any) -> Definition:
    query, then_query = "new.status:paid", "new.status:shipped"
    return define(
        {
            "kind": kind,
            "query": query,
            "then_query": then_query if kind == "sequence" else "",
            "params": params,
            "resolve_seconds": resolve,
            "cool_down_seconds": cool_down,
        }
    )


def at(seconds: float) -> int:
    """So many seconds after the Monday, in microseconds."""
    return MONDAY + round(seconds * SECOND)


def hit(clock: float, ref: Any = None, *, occurred: float | None = None, part: int = 1) -> Hit:
    """A hit at so many seconds after the Monday; its ref is its clock, if not given."""
    return Hit(
        at(clock),
        at(clock if occurred is None else occurred),
        clock if ref is None else ref,
        part,
    )


def told(
    evaluator: Evaluator,
    hits: Iterable[Hit],
    until: float,
    *,
    begin: Step | None = None,
    stops: Sequence[int] = (),
) -> tuple[list[Happening], State | None]:
    """What happens until so many seconds after the Monday, and the state then; at `stops` time is
    let pass in between. The state goes through JSON at every step."""
    step = begin or Step(None, [], None)
    happenings = list(step.happenings)
    waiting = sorted(stops)

    def pass_to(step: Step, clock: int) -> Step:
        while waiting and waiting[0] <= clock:
            step = evaluator.advance(through_json(step.state), waiting.pop(0))
            happenings.extend(step.happenings)
        return step

    for each in hits:
        step = pass_to(step, each.clock)
        step = evaluator.feed(through_json(step.state), each)
        happenings.extend(step.happenings)
    step = evaluator.advance(through_json(pass_to(step, at(until)).state), at(until))
    return [*happenings, *step.happenings], through_json(step.state)


def through_json(state: State | None) -> State | None:
    found: State | None = json.loads(json.dumps(state))
    return found


def words(happenings: Iterable[Happening]) -> list[tuple[str, float]]:
    """Each happening's name, and when, in seconds after the Monday."""
    return [(type(each).__name__, (each.at - MONDAY) / SECOND) for each in happenings]


def refs(happenings: Iterable[Happening]) -> list[Any]:
    """The refs of all hits that something was made of."""
    found: list[Any] = []
    for each in happenings:
        match each:
            case Opened() | Suppressed():
                found += each.refs
            case Grew():
                found.append(each.ref)
    return found
