"""Making an undo plan from what is stored, or saying why there is none."""

from typing import Any

from streams.change import REMOVE
from streams.diff import Image
from streams.models import Gap, Stream
from streams.queries.change import gaps_of, images
from streams.queries.field_steps import decoded
from streams.queries.retention import dropped_until
from streams.queries.rows import StoredChange, fetch_versions
from streams.undo import Target, UndoPlan, UndoRefused, plan
from streams.when import spell_moment


def undo_plan(stream: Stream, version: StoredChange) -> UndoPlan:
    """The plan that brings the item of this version from its newest known state back to what it was
    after the version. UndoRefused says why there is none."""
    if stream.source != "dynamodb":
        raise UndoRefused(f"Undo plans are made for DynamoDB tables, not for {stream.source!r}.")
    newest = fetch_versions(stream.pk, version.item, None, 1)[0]
    wanted = _state_after(version, "this version")
    current = _state_after(newest, "the newest version")
    key = decoded(version.keys)
    if key is None:
        raise UndoRefused("The item's key holds characters that no request can carry.")
    options: dict[str, Any] = stream.options
    target = Target(
        options.get("table", ""), options.get("region", ""), options.get("endpoint_url", "")
    )
    return plan(target, key, current, wanted, _warnings(stream, version, newest))


def _state_after(change: StoredChange, which: str) -> Image | None:
    """The image after a change, None if that deleted the item."""
    if change.operation == REMOVE:
        return None
    seen = images(change)
    image = decoded(seen.new)
    if image is None:
        raise UndoRefused(
            f"What the item was after {which} is not known. {seen.sentence}".strip(),
            "A stream of NEW_AND_OLD_IMAGES or NEW_IMAGE tells it.",
        )
    return image


def _warnings(stream: Stream, version: StoredChange, newest: StoredChange) -> list[str]:
    """What makes it doubtful that the newest known state is the present one."""
    said = [_gap_said(gap) for gap in gaps_of(stream.pk) if gap.to_at >= newest.occurred_at]
    dropped = dropped_until(stream.pk)
    if dropped and newest.occurred_at < dropped:
        said.append(
            f"DOUBTFUL: changes before {spell_moment(dropped)} were dropped by retention, "
            "and the newest stored version is older than that."
        )
    if version.generation != newest.generation:
        said.append(
            "The table's stream was replaced between this version and the newest one. If the table "
            "was made anew in between, the version belongs to the old table."
        )
    if newest.ttl:
        said.append(
            "DynamoDB deleted the item by time to live, and will delete it again unless its expiry "
            "attribute is set to a later time."
        )
    return said


def _gap_said(gap: Gap) -> str:
    begin = spell_moment(gap.from_at) if gap.from_at else "an unknown time"
    return (
        f"DOUBTFUL: changes from {begin} to {spell_moment(gap.to_at)} may be missing, so "
        "the newest known state may not be the present one. The condition then makes the write "
        "fail, unless only attributes changed that it does not compare."
    )
