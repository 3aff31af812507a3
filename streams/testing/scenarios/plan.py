"""From a seed to a scenario: what there is, what happens, and what goes wrong, in order.

The same seed gives the same scenario. How the processes' threads meet is up to the machine, so a
failure may need a few runs of its seed to show itself again.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from streams.testing.simulated import poison
from streams.testing.simulated.spelling import NEW_AND_OLD_IMAGES, VIEW_TYPES

Step: TypeAlias = dict[str, Any]

READS, LISTINGS = ["GetRecords", "GetShardIterator"], ["DescribeStream"]
# Where a process may be killed: a function of the engine, at one of its first calls.
KILL_POINTS = (
    "streams.stages.lease.acquire",
    "streams.stages.lease.renew",
    "streams.stages.lease.release",
    "streams.stages.copy_change.copy",
    "streams.flow.store",
    "streams.stages.publish.number_batches",
)
# In hours: iterators expire, shards roll over, all that is unread is trimmed.
_JUMPS = (0.3, 5, 13, 24.5, 25, 30, 49)


@dataclass(frozen=True)
class Scenario:
    """`start` is how the stream is added; `seats` how many pollers there may be at once."""

    seed: int
    shards: int
    keys: int
    view_type: str
    start: str
    seats: int
    limits: dict[str, Any]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        head = (
            f"seed {self.seed}: {self.shards} shards, {self.keys} items, {self.view_type}, "
            f"start {self.start}, {self.seats} pollers, {self.limits}"
        )
        return "\n".join(
            [head, *(f"  {number:2} {step}" for number, step in enumerate(self.steps))]
        )


def scenario_of(seed: int) -> Scenario:
    dice = random.Random(f"scenario {seed}")  # noqa: S311 - reproducible on purpose
    seats = dice.choice((1, 1, 2, 2, 3))
    limits: dict[str, Any] = {"page_records": dice.choice((3, 7, 1000, 1000))}
    limits["shards_per_page"] = dice.choice((1, 2, 100, 100))
    limits["rollover_seconds"] = dice.choice((0, 4 * 3600))
    return Scenario(
        seed=seed,
        shards=dice.choice((1, 1, 2, 4)),
        keys=dice.choice((1, 5, 20)),
        view_type=dice.choice((*VIEW_TYPES, NEW_AND_OLD_IMAGES, NEW_AND_OLD_IMAGES)),
        start=dice.choice(("trim-horizon", "trim-horizon", "trim-horizon", "latest", "time")),
        seats=seats,
        limits=limits,
        steps=tuple(_steps(dice, seats)),
    )


def _steps(dice: random.Random, seats: int) -> list[Step]:
    before = [dice.choice((_write, _write, _split, _roll_over))(dice) for _ in range(3)]
    begin = [{"do": "start", **_kill_point(dice)} for _ in range(dice.randint(1, seats))]
    names = list(_STEPS)
    weights = [weight for _, weight in _STEPS.values()]
    chosen = dice.choices(names, weights, k=dice.randint(4, 12))
    during = [_STEPS[name][0](dice) for name in chosen]
    return [*before, {"do": "add"}, *begin, *during]


def _write(dice: random.Random) -> Step:
    return {"do": "write", "count": dice.choice((1, 5, 20, 60)), "dice": dice.getrandbits(32)}


def _poison(dice: random.Random) -> Step:
    kind = dice.choice(sorted(poison.KINDS))
    return {"do": "write", "count": 1, "dice": dice.getrandbits(32), "poison": kind}


def _split(dice: random.Random) -> Step:
    return {"do": "split", "which": dice.randrange(8)}


def _roll_over(dice: random.Random) -> Step:
    return {"do": "roll-over", "which": dice.randrange(8)}


def _fault(dice: random.Random) -> Step:
    """A fault that strikes a few calls, or a share of them until it is mended."""
    kind, operations = dice.choice(_FAULTS)
    fault: Step = {"kind": kind, "operations": list(operations)}
    if dice.random() < 0.5 or kind in ("trimmed", "vanish"):
        fault["most"] = dice.randint(1, 1 if kind in ("trimmed", "vanish") else 6)
        fault["skip"] = dice.randint(0, 5)
    else:
        fault["probability"] = dice.choice((0.1, 0.3))
    if kind in ("slow", "lagging-listing"):
        fault["seconds"] = dice.choice((0.03, 0.1, 0.3))
    if kind == "repeat":
        fault["records"] = dice.randint(1, 9)
    return {"do": "fault", **fault}


def _kill_point(dice: random.Random) -> Step:
    """For half of the pollers: where, at which call, and whether before or after it."""
    if dice.random() < 0.5:
        return {}
    point = dice.choice(("sql", "sql", *KILL_POINTS))
    number = dice.randint(1, 60 if point == "sql" else 4)
    return {"dies": [point, number, dice.choice(("before", "after"))]}


def _start(dice: random.Random) -> Step:
    return {"do": "start", **_kill_point(dice)}


def _one_of_them(do: str) -> Callable[[random.Random], Step]:
    return lambda dice: {"do": do, "which": dice.randrange(8)}


def _plain(do: str) -> Callable[[random.Random], Step]:
    return lambda dice: {"do": do}


def _replace(dice: random.Random) -> Step:
    """The stream is off for a while, with writes that no stream has."""
    return {"do": "replace", "missed": dice.choice((0, 3)), "dice": dice.getrandbits(32)}


def _jump(dice: random.Random) -> Step:
    return {"do": "jump", "hours": dice.choice(_JUMPS)}


def _wait(dice: random.Random) -> Step:
    return {"do": "wait", "seconds": dice.choice((0.01, 0.03, 0.06))}


_FAULTS: tuple[tuple[str, list[str]], ...] = (
    *((kind, READS) for kind in ("throttled", "limit-exceeded", "internal", "unavailable")),
    *((kind, LISTINGS) for kind in ("limit-exceeded", "internal", "cut", "garbage")),
    *((kind, []) for kind in ("internal", "reset", "cut", "slow", "throttling", "denied")),
    *((kind, ["GetRecords"]) for kind in ("empty-page", "repeat", "expired-iterator", "garbage")),
    *((kind, READS) for kind in ("not-found", "vanish", "trimmed")),
    *(("lagging-listing", LISTINGS), ("not-found", LISTINGS)),
)
_STEPS: dict[str, tuple[Callable[[random.Random], Step], int]] = {
    "write": (_write, 30),
    "wait": (_wait, 22),
    "caught-up": (_plain("catch-up"), 8),
    "poison": (_poison, 5),
    "split": (_split, 8),
    "roll-over": (_roll_over, 5),
    "fault": (_fault, 16),
    "mend": (_plain("mend"), 4),
    "start": (_start, 8),
    "stop": (_one_of_them("stop"), 5),
    "kill": (_one_of_them("kill"), 8),
    "kill-lister": (_plain("kill-lister"), 3),
    "steal": (_one_of_them("steal"), 4),
    "pause": (_plain("pause"), 2),
    "resume": (_plain("resume"), 3),
    "cut": (_plain("cut-connections"), 4),
    "replace": (_replace, 4),
    "jump": (_jump, 6),
    "lose": (_one_of_them("lose"), 2),
}
