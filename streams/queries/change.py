"""One change, its neighbours in the item's history, and the images it did not bring itself."""

from typing import NamedTuple

from streams.change import INSERT, MODIFY, REMOVE, sequence_key
from streams.models import Gap
from streams.queries.rows import StoredChange, fetch

STREAM, PREVIOUS, FOLLOWING, NONE = "stream", "previous", "following", "none"


class Images(NamedTuple):
    """Both images of a change, where each is from, and that in words ("" if nothing is to say).

    `old_from` and `new_from`: "stream" for what the stream sent, "previous" and "following" for
    what a neighbouring stored version supplied, "none" for unknown or not existing.
    """

    old: bytes | None
    new: bytes | None
    old_from: str
    new_from: str
    sentence: str


def find(change_id: str) -> StoredChange | None:
    """The change of a permalink id; None if there is none, whatever the text."""
    batch, dash, ordinal = change_id.partition("-")
    if not (dash and batch.isdecimal() and ordinal.isdecimal() and len(change_id) < 30):
        return None
    if int(batch) >= 2**63 or int(ordinal) >= 2**31:
        return None
    found = fetch("WHERE c.batch_id = %s AND c.ordinal = %s", [int(batch), int(ordinal)])
    return found[0] if found else None


def previous(change: StoredChange) -> StoredChange | None:
    """The item's version before this one."""
    return _neighbour(change, "<", "DESC")


def following(change: StoredChange) -> StoredChange | None:
    """The item's version after this one."""
    return _neighbour(change, ">", "ASC")


def images(change: StoredChange) -> Images:
    """The change's images; what the stream did not give is supplied by a neighbour, if it can."""
    before = previous(change) if _lacks_old(change) else None
    after = following(change) if _lacks_new(change) else None
    gaps = gaps_of(change.stream_id) if before or after else []
    return supplied(change, before, after, gaps)


def supplied(
    change: StoredChange, before: StoredChange | None, after: StoredChange | None, gaps: list[Gap]
) -> Images:
    """The images, with the neighbours at hand and the gaps of the stream."""
    old, old_from = _own(change.old, exists=change.operation != INSERT)
    new, new_from = _own(change.new, exists=change.operation != REMOVE)
    said = []
    if _lacks_old(change):
        old, sentence = _old_of(before, gaps_between(before, change, gaps))
        old_from = PREVIOUS if old else NONE
        said.append(sentence)
    if _lacks_new(change):
        new, sentence = _new_of(after, gaps_between(change, after, gaps))
        new_from = FOLLOWING if new else NONE
        said.append(sentence)
    if not (old or new) and change.view_type == "KEYS_ONLY":
        said = ["The stream sends keys only: the values are not in it."]
    return Images(old, new, old_from, new_from, " ".join(said))


def gaps_between(
    older: StoredChange | None, newer: StoredChange | None, gaps: list[Gap]
) -> list[Gap]:
    """The gaps that may hide changes between two versions."""
    if older is None or newer is None:
        return []
    begin, end = older.occurred_at, newer.occurred_at
    return [g for g in gaps if g.to_at >= begin and (g.from_at is None or g.from_at <= end)]


def gaps_of(stream_id: int) -> list[Gap]:
    return list(Gap.objects.filter(stream_id=stream_id).order_by("to_at"))


def _own(image: bytes | None, *, exists: bool) -> tuple[bytes | None, str]:
    return (image, STREAM) if image is not None or not exists else (None, NONE)


def _lacks_old(change: StoredChange) -> bool:
    return change.old is None and change.operation in (MODIFY, REMOVE)


def _lacks_new(change: StoredChange) -> bool:
    return change.new is None and change.operation in (INSERT, MODIFY)


def _old_of(before: StoredChange | None, gaps: list[Gap]) -> tuple[bytes | None, str]:
    if before is None:
        return None, "The old image is unknown: no earlier version of this item is stored."
    if gaps:
        return None, "The old image is unknown: changes before this one are missing (see the gap)."
    if before.new is None:
        return None, "The old image is unknown: the previous stored version has no image either."
    return before.new, (
        "The stream does not send old images; this one is the previous stored version, of "
        f"{before.occurred_at:%Y-%m-%d %H:%M:%S} UTC."
    )


def _new_of(after: StoredChange | None, gaps: list[Gap]) -> tuple[bytes | None, str]:
    if after is None or after.old is None or gaps:
        return None, "The stream does not send new images, and no later version tells this one."
    return after.old, (
        "The stream does not send new images; this one is the old image of the next stored "
        f"version, of {after.occurred_at:%Y-%m-%d %H:%M:%S} UTC."
    )


def _neighbour(change: StoredChange, sign: str, order: str) -> StoredChange | None:
    found = fetch(
        f"""WHERE c.item = %s AND (c.generation, c.sequence) {sign} (%s, %s)
            ORDER BY c.generation {order}, c.sequence {order} LIMIT 1""",
        [change.item, change.generation, sequence_key(change.sequence)],
    )
    return found[0] if found else None
