"""What goes wrong, and when: faults that a scenario declares, thrown with reproducible dice.

A fault names its kind and narrows where it strikes; what it does not name is no condition.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from streams.testing.simulated import poison, refusals
from streams.testing.simulated.exchange import Ending
from streams.testing.simulated.refusals import Refused


@dataclass(frozen=True)
class Call:
    """What a fault can look at. `page` counts the pages of a listing from 1."""

    operation: str
    table: str = ""
    arn: str = ""
    shard: str = ""
    page: int = 1


@dataclass
class Plan:
    """What will go wrong with one call."""

    refusal: Refused | None = None
    # Answered by something in front of the service: a status, and no JSON at all.
    status: int = 0
    delay: float = 0.0
    ending: Ending = Ending.WHOLE
    empty: bool = False
    lag: float = 0.0
    repeat: int = 0
    vanish: bool = False


_ENDINGS = {"cut": Ending.CUT, "reset": Ending.RESET, "garbage": Ending.GARBAGE}
_REFUSALS = {
    "throttled": refusals.throughput_exceeded,
    "limit-exceeded": refusals.limit_exceeded,
    "throttling": refusals.throttling,
    "internal": refusals.internal,
    "wrong-region": refusals.wrong_region,
    "bad-signature": refusals.bad_signature,
    "unknown-key": refusals.unknown_key,
    "expired-token": refusals.token_expired,
    "trimmed": refusals.trimmed,
}
KINDS = {
    *_ENDINGS, *_REFUSALS, "denied", "unavailable", "slow", "empty-page", "lagging-listing",
    "repeat", "vanish", "expired-iterator", "not-found", "poison",
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """`seconds` is how slow, or how far behind; `records` how many come again; `poison` how a
    record is broken when it is written. `skip` calls are spared first; it strikes `most` times."""

    kind: str
    operations: tuple[str, ...] = ()
    table: str = ""
    shard: str = ""
    page: int = 0
    probability: float = 1.0
    skip: int = 0
    most: int | None = None
    # Between these seconds of the service's clock since the scenario began.
    begins: float = 0.0
    ends: float = float("inf")
    seconds: float = 0.0
    records: int = 1
    poison: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no fault; there are {', '.join(sorted(KINDS))}")
        if self.kind == "poison" and self.poison not in poison.KINDS:
            raise ValueError(f"{self.poison!r} is no kind of poison")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Fault":
        """A fault as a scenario's JSON has it."""
        fault = cls(**given)
        return replace(fault, operations=tuple(fault.operations))

    def is_meant(self, call: Call, second: float) -> bool:
        return (
            (not self.operations or call.operation in self.operations)
            and self.table in ("", call.table)
            and self.shard in ("", call.shard)
            and self.page in (0, call.page)
            and self.begins <= second < self.ends
        )


@dataclass
class _Armed:
    """A fault with its own dice, so that one fault's luck does not change another's."""

    fault: Fault
    dice: random.Random
    met: int = 0
    struck: int = 0

    def strikes(self, call: Call, second: float) -> bool:
        if not self.fault.is_meant(call, second):
            return False
        self.met += 1
        over = self.fault.most is not None and self.struck >= self.fault.most
        if self.met <= self.fault.skip or over or self.dice.random() >= self.fault.probability:
            return False
        self.struck += 1
        return True


@dataclass
class Faults:
    seed: int = 0
    _armed: list[_Armed] = field(default_factory=list)
    _added: int = 0

    def add(self, *faults: Fault) -> None:
        for fault in faults:
            self._added += 1
            dice = random.Random(f"{self.seed} {self._added}")  # noqa: S311 - reproducible
            self._armed.append(_Armed(fault, dice))

    def clear(self, kinds: Iterable[str] = ()) -> None:
        """Mend everything, or these kinds."""
        kept = set(kinds)
        self._armed = [armed for armed in self._armed if kept and armed.fault.kind not in kept]

    def plan(self, call: Call, second: float) -> Plan:
        """What goes wrong with this call, `second` seconds after the scenario began."""
        plan = Plan()
        for armed in self._armed:
            if armed.fault.kind != "poison" and armed.strikes(call, second):
                _apply(armed.fault, call, plan)
        return plan

    def spoil(self, table: str, shard: str, second: float) -> str:
        """How the record that is about to be written is broken, "" for not at all."""
        call = Call("write", table=table, shard=shard)
        for armed in self._armed:
            if armed.fault.kind == "poison" and armed.strikes(call, second):
                return armed.fault.poison
        return ""

    def struck(self) -> dict[str, int]:
        """How often each kind has struck."""
        counts: dict[str, int] = {}
        for armed in self._armed:
            counts[armed.fault.kind] = counts.get(armed.fault.kind, 0) + armed.struck
        return counts


def _apply(fault: Fault, call: Call, plan: Plan) -> None:
    kind = fault.kind
    if kind in _ENDINGS:
        plan.ending = _ENDINGS[kind]
    elif kind in _REFUSALS:
        plan.refusal = _REFUSALS[kind]()
    elif kind in ("denied", "expired-iterator", "not-found"):
        plan.refusal = _refusal_of(kind, call)
    else:
        _bend(fault, plan)


def _refusal_of(kind: str, call: Call) -> Refused:
    if kind == "denied":
        return refusals.denied(call.operation, call.arn or f"table/{call.table}")
    if kind == "expired-iterator":
        return refusals.expired(901)
    return refusals.not_found(f"Shard: {call.shard}")


def _bend(fault: Fault, plan: Plan) -> None:
    match fault.kind:
        case "unavailable":
            plan.status = 503
        case "slow":
            plan.delay = fault.seconds
        case "empty-page":
            plan.empty = True
        case "lagging-listing":
            plan.lag = fault.seconds
        case "repeat":
            plan.repeat = fault.records
        case "vanish":
            plan.vanish = True
