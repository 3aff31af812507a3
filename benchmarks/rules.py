"""What does a change cost with 10, 1,000 and 10,000 rules, and how fast are events of JSON?

    .venv/bin/python benchmarks/rules.py [--json] [--rounds N] [--changes N]

All in one run, in CPU time, the best of the rounds:

    rules    changes of about 900 bytes (keys, two images) as they come, DynamoDB JSON: made into
             events and matched, with 10, 1,000 and 10,000 mixed rules for their stream. About as
             many rules match in each case, so what is compared is the cost of those that do not.
    moto     its matcher in a loop over the same 1,000 patterns, on events that are ready made; it
             gives the same answers (that is checked)
    kinds    events/s with five rules of each kind, on lots of a city as JSON text, and what
             event-ruler's authors publish for theirs (Java, 2019 laptop)

Needs no database.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import made_rules
from moto.events.models import EventPattern

from streams.change import Change
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import Wanted
from streams.rules.matching.matcher import Matcher
from streams.rules.patterns.compiler import compile_pattern
from streams.rules.values import Number

COUNTS = (10, 1_000, 10_000)
# moto needs some 20 ms a change: a few of them tell its speed.
MOTO_CHANGES = 10
LOTS = 3_000


class Rules:
    """So many mixed rules, ready for the changes of their stream."""

    def __init__(self, count: int) -> None:
        filters = {n: compile_pattern(p) for n, p in enumerate(made_rules.patterns(count))}
        begun = time.process_time()
        self._matcher = Matcher(filters).for_stream(made_rules.STREAM)
        self.build_seconds = time.process_time() - begun
        self._events = ChangeEvents(made_rules.STREAM, self._matcher.wanted)

    def match(self, change: Change) -> set[int]:
        return self._matcher.match(self._events.of(change))


def seconds_each(work: Callable[[Any], Any], things: Sequence[Any]) -> float:
    begun = time.process_time()
    for thing in things:
        work(thing)
    return (time.process_time() - begun) / len(things)


class Moto:
    """moto's matcher, in a loop."""

    def __init__(self, count: int) -> None:
        self._patterns: list[Any] = [
            EventPattern.load(json.dumps(pattern)) for pattern in made_rules.patterns(count)
        ]

    def match(self, event: dict[str, Any]) -> set[int]:
        return {n for n, pattern in enumerate(self._patterns) if pattern.matches_event(event)}


def plain_events(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """The whole events with numbers that JSON has, as moto wants them."""
    events = ChangeEvents(made_rules.STREAM, Wanted.everything())
    return [json.loads(json.dumps(events.of(change), default=_number)) for change in changes]


def _number(value: Number) -> float:
    return float(value.text)


def measure(rounds: int, count: int) -> dict[str, Any]:
    changes = made_rules.changes(count)
    rules = {number: Rules(number) for number in COUNTS}
    moto, events = Moto(1_000), plain_events(changes[:MOTO_CHANGES])
    # moto does not look into arrays of objects; no line of these changes has a wanted article.
    for change, event in zip(changes, events, strict=False):
        assert moto.match(event) == rules[1_000].match(change), "moto says otherwise"
    best = dict.fromkeys([*COUNTS, "moto"], float("inf"))
    for _ in range(rounds):  # in turn, so that a slow moment of the machine meets all
        for number, some in rules.items():
            best[number] = min(best[number], seconds_each(some.match, changes))
        best["moto"] = min(best["moto"], seconds_each(moto.match, events))
    matching = {n: sum(len(some.match(c)) for c in changes) / count for n, some in rules.items()}
    return {
        "cost_1000_to_10": round(best[1_000] / best[10], 2),
        "cost_10000_to_10": round(best[10_000] / best[10], 2),
        "speed_to_moto_1000": round(best["moto"] / best[1_000]),
        **{f"microseconds_{n}": round(best[n] * 1e6, 1) for n in COUNTS},
        **{f"matching_{n}": round(matching[n], 3) for n in COUNTS},
        "build_seconds_10000": round(rules[10_000].build_seconds, 2),
        "bytes_of_a_change": round(sum(map(_size, changes)) / count),
    }


def _size(change: Change) -> int:
    return len(change.keys) + len(change.old or b"") + len(change.new or b"")


def measure_kinds(rounds: int) -> dict[str, int]:
    """Events a second by kind of rule."""
    texts = made_rules.lots(LOTS)
    found = {}
    for kind, (patterns, _) in made_rules.KINDS.items():
        matcher = Matcher({n: compile_pattern(p) for n, p in enumerate(patterns)})
        fastest = min(seconds_each(matcher.match_json, texts) for _ in range(rounds))
        found[kind] = round(1 / fastest)
    return found


def _key(kind: str) -> str:
    return kind.replace(" ", "_").replace("-", "_")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--rounds", type=int, default=7, help="the best of so many counts")
    parser.add_argument("--changes", type=int, default=2_000)
    options = parser.parse_args()
    found = measure(options.rounds, options.changes)
    kinds = measure_kinds(options.rounds)
    if options.json:
        per_second = {f"{_key(kind)}_per_second": kinds[kind] for kind in kinds}
        print(json.dumps({**found, **per_second}))
        return
    for count in COUNTS:
        print(
            f"{count:>6,} rules {found[f'microseconds_{count}']:>6} µs a change of "
            f"{found['bytes_of_a_change']} bytes, {found[f'matching_{count}']} of them match it"
        )
    print(f"1,000 cost {found['cost_1000_to_10']} x 10, 10,000 cost {found['cost_10000_to_10']} x;")
    print(f"1,000 are {found['speed_to_moto_1000']:,} x as fast as moto's matcher in a loop;")
    print(f"10,000 are ready after {found['build_seconds_10000']} s\n")
    print(f"{'5 rules':<14}{'events/s':>10}{'event-ruler':>14}")
    for kind, (_, published) in made_rules.KINDS.items():
        print(f"{kind:<14}{kinds[kind]:>10,}{published:>14}")


if __name__ == "__main__":
    main()
