"""What an item was at a moment, and how sure that is."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from streams.change import INSERT, REMOVE
from streams.models import Gap, Stream
from streams.queries.change import find, following, gaps_of, images
from streams.queries.history import Mark, mark_at, marks
from streams.queries.retention import bounds, dropped_until
from streams.queries.rows import StoredChange
from streams.when import spell_moment

# What is known: its image, that it was deleted, that it was there but not with what values, that
# the first recorded change came later, or that nothing of it is stored.
KNOWN, DELETED, WITHOUT_VALUES, BEFORE_FIRST, NOTHING = (
    "known", "deleted", "without-values", "before-first", "nothing",
)  # fmt: skip
# So many changes of one second are told apart.
_SAME_SECOND = 50


class AsOf(NamedTuple):
    """An item's state at `moment`.

    `change` is the last one counted, `next` the one after it, each None if there is none; `image`
    is DynamoDB JSON. Before the first recorded change `image` is that change's old image, if known.
    `same_second` are the changes of the moment's own second, oldest first, of which `counted` are
    in the state. `gaps` may hide changes between `change` and the moment. What happened after
    `stored_until` may still come (None: nothing may); changes before `dropped_until` were dropped
    by retention.
    """

    moment: datetime
    kind: str
    change: StoredChange | None
    next: StoredChange | None
    image: bytes | None
    same_second: list[Mark]
    counted: int
    gaps: list[Gap]
    stored_until: datetime | None
    dropped_until: datetime | None

    @property
    def exact(self) -> bool:
        """True if the state is known and nothing speaks against it."""
        return self.kind in (KNOWN, DELETED) and not self.doubts

    @property
    def doubts(self) -> list[str]:
        """Why the state may be another one, in sentences."""
        return [*map(_gap_said, self.gaps), *_dropped_said(self), *_late_said(self)]


def as_of(stream: Stream, item: UUID, moment: datetime, counted: int | None = None) -> AsOf:
    """The item's state at a moment.

    Times have whole seconds. Of the changes in the moment's own second all are counted, or only
    the first `counted` in the source's order.
    """
    last = mark_at(stream.pk, item, moment)
    group = _same_second(stream.pk, item, last, moment) if last else []
    if counted is None or not 0 <= counted <= len(group):
        counted = len(group)
    if group and counted < len(group):
        last = group[counted - 1] if counted else _older(stream.pk, item, group[0])
    change = find(last.id) if last else None
    if change is None:
        return _before_first(stream, item, moment, group)
    seen, after = images(change), following(change)
    return AsOf(
        moment=moment,
        kind=_kind(change, seen.new),
        change=change,
        next=after,
        image=seen.new,
        same_second=group,
        counted=counted,
        gaps=_gaps(stream.pk, change.occurred_at, moment),
        stored_until=None if after else _stored_until(stream, moment),
        dropped_until=_dropped_after(stream.pk, change.occurred_at),
    )


def sentences(state: AsOf) -> list[str]:
    """The answer's certainty in words; what speaks against it last."""
    return [*_certainty(state), *_order_said(state), *state.doubts]


def _same_second(stream_id: int, item: UUID, last: Mark, moment: datetime) -> list[Mark]:
    """The versions of the moment's own second up to the last one, oldest first."""
    second = moment.replace(microsecond=0)
    if last.occurred_at < second:
        return []
    older = marks(stream_id, item, last.key, _SAME_SECOND - 1)
    same = [last]
    for mark in older:
        if mark.occurred_at < second:
            break
        same.append(mark)
    return same[::-1]


def _older(stream_id: int, item: UUID, mark: Mark) -> Mark | None:
    found = marks(stream_id, item, mark.key, 1)
    return found[0] if found else None


def _before_first(stream: Stream, item: UUID, moment: datetime, group: list[Mark]) -> AsOf:
    found = marks(stream.pk, item, None, 1, newer=True)
    first = find(found[0].id) if found else None
    old = images(first).old if first and first.operation != INSERT else None
    return AsOf(
        moment=moment,
        kind=BEFORE_FIRST if first else NOTHING,
        change=None,
        next=first,
        image=old,
        same_second=group,
        counted=0,
        gaps=[],
        stored_until=None,
        dropped_until=dropped_until(stream.pk),
    )


def _kind(change: StoredChange, image: bytes | None) -> str:
    if change.operation == REMOVE:
        return DELETED
    return WITHOUT_VALUES if image is None else KNOWN


def _gaps(stream_id: int, since: datetime, moment: datetime) -> list[Gap]:
    return [
        gap
        for gap in gaps_of(stream_id)
        if gap.to_at >= since and (gap.from_at is None or gap.from_at <= moment)
    ]


def _stored_until(stream: Stream, moment: datetime) -> datetime | None:
    """How far the stream is surely stored, if that is before the moment."""
    limits = bounds(stream)
    until = limits.now if limits.until is None else limits.until
    return until if until < moment else None


def _dropped_after(stream_id: int, occurred_at: datetime) -> datetime | None:
    """Up to when retention dropped changes, if some of them may have come after this one."""
    until = dropped_until(stream_id)
    return until if until and until > occurred_at else None


def _certainty(state: AsOf) -> list[str]:
    change, after = state.change, state.next
    if state.kind == NOTHING:
        return ["No change of this item is stored, so nothing is known of it."]
    if state.kind == BEFORE_FIRST and after:
        return [_before_said(after, state.image)]
    if change is None:
        return []
    set_at = f"by the change {change.id} at {spell_moment(change.occurred_at)}"
    until = f"; the next change is of {spell_moment(after.occurred_at)}" if after else ""
    if state.kind == DELETED:
        return [f"The item did not exist: it was deleted {set_at}{until}."]
    if state.kind == WITHOUT_VALUES:
        return [f"The item existed, last written {set_at}{until}.", _unknown_said(change)]
    word = "The state is exactly known" if state.exact else "The last known state"
    return [f"{word}: it was set {set_at}{until or ', and it has not changed since'}."]


def _before_said(first: StoredChange, image: bytes | None) -> str:
    said = f"Unknown before the first recorded change, of {spell_moment(first.occurred_at)}."
    if first.operation == INSERT:
        return f"{said} That change made the item, so right before it there was none."
    if image is not None:
        return f"{said} Shown is what the item was right before that change: its old image."
    return said


def _unknown_said(change: StoredChange) -> str:
    if change.view_type == "KEYS_ONLY":
        return "Its values are unknown: the stream sends keys only."
    if change.view_type == "OLD_IMAGE":
        return (
            "Its values are unknown: the stream sends old images only, so a state is told by the "
            "change after it, and there is no such change yet, or a gap lies before it."
        )
    return "Its values are unknown: the stream did not send them with this change."


def _order_said(state: AsOf) -> list[str]:
    number = len(state.same_second)
    if number == 0:
        return []
    changes = "1 change is" if number == 1 else f"{number} changes are"
    counted = {0: "before all of them", number: "after the last one"}.get(
        state.counted, f"after {state.counted} of them"
    )
    if number == 1:
        counted = "after it" if state.counted else "before it"
    return [
        f"{changes} in the same second, and times are rounded down to the second; ordered by "
        f"sequence number; this is the state {counted}."
    ]


def _gap_said(gap: Gap) -> str:
    begin = spell_moment(gap.from_at) if gap.from_at else "an unknown time"
    return (
        f"Possibly incomplete: changes from {begin} to {spell_moment(gap.to_at)} may be missing "
        f"({gap.get_reason_display()})."
    )


def _dropped_said(state: AsOf) -> list[str]:
    if state.dropped_until is None:
        return []
    return [f"Changes before {spell_moment(state.dropped_until)} were dropped by retention."]


def _late_said(state: AsOf) -> list[str]:
    until = state.stored_until
    if until is None:
        return []
    if until.year < 2000:
        return ["Possibly incomplete: a shard of the stream has not been read yet."]
    stored = f"The stream is stored up to {spell_moment(until)}"
    return [f"{stored}; what happened after may still come."]
