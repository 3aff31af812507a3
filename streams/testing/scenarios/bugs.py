"""Mistakes that a scenario can plant in the engine's processes: the check must find them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from msgspec import structs

from streams import flow, tasks
from streams.stages import gap, lease, match
from streams.stages.store import store

_MONTH = 30 * 86_400_000_000  # microseconds


def _drop_a_record() -> None:
    """Every second batch loses its first change before it is stored."""
    calls = 0

    def wrong(batch: Any) -> Any:
        nonlocal calls
        calls += 1
        return replace(batch, changes=batch.changes[1:]) if calls % 2 == 0 else batch

    _before_storing(wrong)


def _store_twice() -> None:
    """A change is stored again, with a time whose partition does not know it yet."""

    def wrong(batch: Any) -> Any:
        again = [structs.replace(c, occurred=c.occurred - _MONTH) for c in batch.changes[:1]]
        return replace(batch, changes=[*batch.changes, *again])

    _before_storing(wrong)


def _before_storing(wrong: Callable[[Any], Any]) -> None:
    patch.object(
        flow, "store", lambda target, tail, batch: store(target, tail, wrong(batch))
    ).start()


def _read_a_child_early() -> None:
    """A shard is leased whether or not its parent has ended."""
    wrong = lease._READABLE.replace("p.ended_at IS NOT NULL", "true")
    patch.object(lease, "_READABLE", wrong).start()


def _forget_a_gap() -> None:
    """What was trimmed or lost is skipped without a word, and beat tells nothing either."""
    patch.object(tasks, "watch", lambda: None).start()
    for name in (name for name in dir(gap) if name.startswith("record_")):
        patch.object(gap, name, lambda *given: None).start()


def _lose_a_match() -> None:
    """Every second match is not written."""
    write = match.write
    patch.object(
        match, "write", lambda batch_id, stream_id, all_: write(batch_id, stream_id, all_[::2])
    ).start()


BUGS: dict[str, Callable[[], None]] = {
    "drop-a-record": _drop_a_record,
    "store-twice": _store_twice,
    "read-a-child-early": _read_a_child_early,
    "forget-a-gap": _forget_a_gap,
    "lose-a-match": _lose_a_match,
}
