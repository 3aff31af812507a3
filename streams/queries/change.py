"""One change, its neighbours in the item's history, and the images it did not bring itself."""

from datetime import datetime
from typing import NamedTuple

from streams.change import INSERT, MODIFY, REMOVE, sequence_key
from streams.models import Batch, Gap, Stream
from streams.queries.retention import dropped_until
from streams.queries.rows import Extent, StoredChange, fetch_of, fetch_versions
from streams.when import spell_moment

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


class Around(NamedTuple):
    """A change with its images, the item's versions before and after it, the recorded gaps between
    it and the version before, and the moment before which retention dropped changes."""

    images: Images
    previous: StoredChange | None
    following: StoredChange | None
    gaps: list[Gap]
    dropped_until: datetime | None


def find(change_id: str) -> StoredChange | None:
    """The change of a permalink id; None if there is none, whatever the text."""
    batch = _batch_number(change_id)
    if batch is None:
        return None
    extents = Batch.objects.filter(pk=batch).values_list(*Extent._fields[1:])
    ordinal = int(change_id.partition("-")[2])
    found = fetch_of(
        [Extent(batch, *where) for where in extents], "WHERE c.ordinal = %s", [ordinal]
    )
    return found[0] if found else None


def previous(change: StoredChange) -> StoredChange | None:
    """The item's version before this one."""
    return _neighbour(change, newer=False)


def following(change: StoredChange) -> StoredChange | None:
    """The item's version after this one."""
    return _neighbour(change, newer=True)


def images(change: StoredChange) -> Images:
    """The change's images; what the stream did not give is supplied by a neighbour, if it can."""
    before = previous(change) if _lacks_old(change) else None
    after = following(change) if _lacks_new(change) else None
    gaps = gaps_of(change.stream_id) if before or after else []
    dropped = dropped_until(change.stream_id) if _lacks_old(change) or after else None
    return supplied(change, before, after, gaps, dropped)


def around(change: StoredChange) -> Around:
    """The change among its neighbours."""
    before, after = previous(change), following(change)
    gaps, dropped = gaps_of(change.stream_id), dropped_until(change.stream_id)
    return Around(
        supplied(change, before, after, gaps, dropped),
        before,
        after,
        gaps_between(before, change, gaps),
        dropped,
    )


def absence(change_id: str) -> str:
    """Why there is no change of this id, as far as the ledger tells."""
    batch = _batch_number(change_id)
    if batch is None:
        return "An id is two numbers with a dash between them, as in 118-42."
    kept = Batch.objects.filter(pk=batch).select_related("stream").first()
    if kept is None:
        oldest = Batch.objects.order_by("pk").values_list("pk", flat=True).first()
        if oldest is None or batch > oldest:
            return "No batch of this number was stored. Is a digit missing?"
        return "Batches as old as this one are gone with their changes: retention dropped them."
    dropped = dropped_until(kept.stream_id)
    if dropped and kept.oldest_change_at and kept.oldest_change_at < dropped:
        return (
            f"It was a change of the stream {kept.stream.name}, and retention dropped the "
            f"changes of this stream before {dropped:%Y-%m-%d %H:%M} UTC{_kept_for(kept.stream)}."
        )
    return f"The batch {batch} of the stream {kept.stream.name} holds no such change."


def supplied(
    change: StoredChange,
    before: StoredChange | None,
    after: StoredChange | None,
    gaps: list[Gap],
    dropped: datetime | None,
) -> Images:
    """The images, with the neighbours at hand, the gaps of the stream, and the moment before
    which retention dropped its changes."""
    old, old_from = _own(change.old, exists=change.operation != INSERT)
    new, new_from = _own(change.new, exists=change.operation != REMOVE)
    said = []
    if _lacks_old(change):
        kept = before if before and not _is_before(before, dropped) else None
        old, sentence = _old_of(kept, gaps_between(kept, change, gaps), dropped)
        old_from = PREVIOUS if old else NONE
        said.append(sentence)
    if _lacks_new(change):
        kept = after if not _is_before(change, dropped) else None
        new, sentence = _new_of(kept, gaps_between(change, kept, gaps))
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
    return list(Gap.objects.filter(stream_id=stream_id, harmless_at=None).order_by("to_at"))


def _batch_number(change_id: str) -> int | None:
    """The batch of a permalink id; None if it is no such id."""
    batch, dash, ordinal = change_id.partition("-")
    if not (dash and batch.isdecimal() and ordinal.isdecimal() and len(change_id) < 30):
        return None
    return int(batch) if int(batch) < 2**63 and int(ordinal) < 2**31 else None


def _kept_for(stream: Stream) -> str:
    return f"; it keeps {stream.keep_days} days" if stream.keep_days else ""


def _own(image: bytes | None, *, exists: bool) -> tuple[bytes | None, str]:
    return (image, STREAM) if image is not None or not exists else (None, NONE)


def _lacks_old(change: StoredChange) -> bool:
    return change.old is None and change.operation in (MODIFY, REMOVE)


def _lacks_new(change: StoredChange) -> bool:
    return change.new is None and change.operation in (INSERT, MODIFY)


def _is_before(change: StoredChange, dropped: datetime | None) -> bool:
    """True for a straggler among dropped changes: its neighbour need not be the next version."""
    return dropped is not None and change.occurred_at < dropped


def _old_of(
    before: StoredChange | None, gaps: list[Gap], dropped: datetime | None
) -> tuple[bytes | None, str]:
    if before is None and dropped:
        return None, (
            "The old image is unknown: no earlier version of this item is stored, and changes "
            f"before {dropped:%Y-%m-%d %H:%M} UTC were dropped by retention."
        )
    if before is None:
        return None, "The old image is unknown: no earlier version of this item is stored."
    if gaps:
        return None, "The old image is unknown: changes before this one are missing (see the gap)."
    if before.new is None:
        return None, "The old image is unknown: the previous stored version has no image either."
    return before.new, (
        "The stream does not send old images; this one is the previous stored version, of "
        f"{spell_moment(before.occurred_at)}."
    )


def _new_of(after: StoredChange | None, gaps: list[Gap]) -> tuple[bytes | None, str]:
    if after is None or after.old is None or gaps:
        return None, "The stream does not send new images, and no later version tells this one."
    return after.old, (
        "The stream does not send new images; this one is the old image of the next stored "
        f"version, of {spell_moment(after.occurred_at)}."
    )


def _neighbour(change: StoredChange, *, newer: bool) -> StoredChange | None:
    place = change.generation, sequence_key(change.sequence)
    found = fetch_versions(change.stream_id, change.item, place, 1, newer=newer)
    return found[0] if found else None
