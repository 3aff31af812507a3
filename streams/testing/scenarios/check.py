"""What must hold when a scenario has settled: stored equals served, or a gap says what is missing.

Each function gives sentences about what does not hold; none means that all is well.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streams.change import EPOCH
from streams.models import Batch, Gap, PoisonRecord, Shard, Stream
from streams.queries import feed
from streams.queries.rows import StoredChange, fetch
from streams.queries.verify import verify
from streams.testing.simulated.poison import STRANGE, UNREADABLE
from streams.testing.simulated.service import Service
from streams.testing.simulated.shards import Record
from streams.testing.simulated.shards import Shard as ServedShard
from streams.testing.simulated.streams import Stream as ServedStream

# The database's clock and the service's are moved one after the other.
_CLOCKS_APART = 0.05
_PAGE = 500


@dataclass(frozen=True)
class Facts:
    """What the scenario knows beside the world's truth. Records up to `added` were written before
    the stream was; `start_at` is the moment from which it stores, in seconds since 1970. Who
    `disturbed` the leases, so that more readers than allowed are no mistake. `claims_trimmed`: a
    wrong answer said so. `outage`: the clocks jumped further than records are kept."""

    service: Service
    table: str
    stream: Stream
    start: str
    start_at: float
    added: int
    disturbed: bool
    claims_trimmed: bool
    outage: bool


@dataclass(frozen=True)
class Place:
    """A record, and where it was written."""

    record: Record
    shard: ServedShard
    stream: ServedStream
    gone: bool


def faults_of(facts: Facts) -> list[str]:
    """What does not hold, the cheap questions first: the next are asked only when they hold."""
    places = list(_places(facts))
    stored = fetch("WHERE c.stream_id = %s ORDER BY c.batch_id, c.ordinal", [facts.stream.pk])
    missing = _missing(facts, places, stored)
    lost = [place for place in missing if place.gone]
    return (
        [f"{_named(place)} is missing" for place in missing if not place.gone]
        or list(_unfinished(facts))
        or [*_unlike(facts, places, stored), *_poison(facts, places)]
        or [*_uncovered(facts, lost), *_gaps_without_reason(facts)]
        or [*_unnumbered(facts), *_feed(facts, stored)]
        or _chain(facts)
    )


def _places(facts: Facts) -> Iterator[Place]:
    world = facts.service.world
    current = world.tables[facts.table].stream
    seen = set(Shard.objects.filter(stream=facts.stream).values_list("arn", flat=True))
    for stream in world.streams.values():
        if stream.table != facts.table:
            continue
        for shard in stream.tree.all():
            # An ARN that came and went between two listings is known to nobody who reads.
            unseen = stream.arn not in seen and stream is not current
            gone = unseen or shard.id not in stream.tree.listed
            for number, record in enumerate(shard.records):
                yield Place(record, shard, stream, gone or number < shard.trimmed)


def _missing(facts: Facts, places: list[Place], stored: list[StoredChange]) -> list[Place]:
    """The readable records that should be stored and are not."""
    have = {int(row.sequence) for row in stored}
    return [
        place
        for place in places
        if place.record.poison not in UNREADABLE
        and place.record.sequence not in have
        and _is_due(facts, place.record)
    ]


def _is_due(facts: Facts, record: Record) -> bool:
    """True if the stream's start takes the record in."""
    if facts.start == "latest":
        return record.sequence > facts.added
    return facts.start == "trim-horizon" or not _is_before(facts, record)


def _is_before(facts: Facts, record: Record) -> bool:
    """True if the record surely happened before the start, by its time in whole seconds."""
    second = int(record.at)
    return second + (1 if second % 60 else 60) <= facts.start_at


def _unlike(facts: Facts, places: list[Place], stored: list[StoredChange]) -> Iterator[str]:
    """Stored and never written, stored twice, out of order, or with other contents."""
    written = {place.record.sequence: place for place in places}
    counts = Counter(int(row.sequence) for row in stored)
    by_item: dict[Any, list[tuple[int, int]]] = defaultdict(list)
    for row in stored:
        sequence = int(row.sequence)
        by_item[row.item].append((row.generation, sequence))
        place = written.get(sequence)
        if place is None or place.record.poison in UNREADABLE:
            yield f"{sequence} is stored and was never written"
        elif counts[sequence] > 1:
            yield f"{_named(place)} is stored {counts[sequence]} times"
        elif facts.start == "time" and _is_before(facts, place.record):
            yield f"{_named(place)} is stored and happened before the start"
        elif place.record.poison not in STRANGE and not _same(row, place.record):
            yield f"{_named(place)} is stored with other contents"
    for item, found in by_item.items():
        if found != sorted(found):
            yield f"the changes of item {item} are out of order: {found}"


def _same(row: StoredChange, record: Record) -> bool:
    raw = json.loads(record.raw)
    data = raw["dynamodb"]
    images = [data["Keys"], data.get("OldImage"), data.get("NewImage")]
    return (
        (row.operation, row.event_id) == (raw["eventName"], raw["eventID"])
        and [part and json.loads(part) for part in (row.keys, row.old, row.new)] == images
    )  # fmt: skip


def _uncovered(facts: Facts, lost: list[Place]) -> Iterator[str]:
    gaps = list(Gap.objects.filter(stream=facts.stream).select_related("shard"))
    lines = {place.shard.id: _line_of(place.shard, place.stream) for place in lost}
    for place in lost:
        if not any(_covers(gap, place, lines[place.shard.id]) for gap in gaps):
            yield f"{_named(place)} is lost and in no gap of {list(map(_spelled, gaps))}"


def _covers(gap: Gap, place: Place, line: set[str]) -> bool:
    """True if the gap's time, sequences and shard (one of this line) say that this record may be
    missing."""
    at = place.record.at
    if gap.from_at and at < (gap.from_at - EPOCH).total_seconds() - _CLOCKS_APART:
        return False
    if at > (gap.to_at - EPOCH).total_seconds() + _CLOCKS_APART:
        return False
    if gap.shard is None:
        return True
    same = gap.shard.name == place.shard.id
    if same and gap.from_sequence and place.record.sequence <= int(gap.from_sequence):
        return False
    if same and gap.to_sequence and place.record.sequence >= int(gap.to_sequence):
        return False
    return gap.shard.name in line


def _line_of(shard: ServedShard, stream: ServedStream) -> set[str]:
    """The shard, its ancestors and its descendants: a shard that was never listed is lost with
    the one that led to it."""
    shards = {each.id: each for each in stream.tree.all()}
    younger = {shard.id}
    for each in shards.values():  # in the order they came into being
        if each.parent in younger:
            younger.add(each.id)
    older, parent = set(), shard.parent
    while parent:
        older.add(parent)
        parent = shards[parent].parent
    return younger | older


def _gaps_without_reason(facts: Facts) -> Iterator[str]:
    trees = [s for s in facts.service.world.streams.values() if s.table == facts.table]
    served = {shard.id: shard for stream in trees for shard in stream.tree.all()}
    replaced = 0
    for gap in Gap.objects.filter(stream=facts.stream).select_related("shard"):
        replaced += gap.reason == Gap.Reason.NEW_STREAM
        if gap.shard and not _has_reason(facts, gap, served[gap.shard.name], trees):
            yield f"there is no reason for the gap {_spelled(gap)}"
    if replaced > len(trees) - 1:
        yield f"{replaced} gaps say that the stream was replaced, which happened {len(trees) - 1}x"


def _has_reason(facts: Facts, gap: Gap, shard: ServedShard, trees: list[ServedStream]) -> bool:
    if gap.reason == Gap.Reason.UNREAD:
        return facts.outage
    if gap.reason == Gap.Reason.TRIMMED:
        # The position itself may be what was trimmed: then nobody can tell whether more was.
        after = int(gap.from_sequence or -1)
        is_gone = shard.last_trimmed() >= max(after, 0)
        return facts.claims_trimmed or is_gone or any(shard.id in t.tree.past for t in trees)
    return any(shard.id in tree.tree.past for tree in trees)


def _poison(facts: Facts, places: list[Place]) -> Iterator[str]:
    kept = Counter(
        bytes(raw)
        for raw in PoisonRecord.objects.filter(shard__stream=facts.stream).values_list(
            "raw", flat=True
        )
    )
    for place in places:
        record = place.record
        if record.poison not in UNREADABLE:
            continue
        if not kept[record.raw] and not place.gone and facts.start == "trim-horizon":
            yield f"the poison record {record.poison} {record.sequence} was not kept"


def _unfinished(facts: Facts) -> Iterator[str]:
    """Shards that have ended at the service must have ended here, read or lost."""
    listed = {
        shard.id: shard
        for stream in facts.service.world.streams.values()
        for shard in stream.tree.listed.values()
    }
    for shard in Shard.objects.filter(stream=facts.stream, ended_at__isnull=True):
        served = listed.get(shard.name)
        if served is None or served.closed_at is not None:
            yield f"shard {shard.name} is over and has not ended here"


def _chain(facts: Facts) -> list[str]:
    broken = verify(facts.stream).broken
    return [f"verify: {broken}"] if broken else []


def _unnumbered(facts: Facts) -> list[str]:
    waiting = Batch.objects.filter(stream=facts.stream, feed_position=None).count()
    return [f"{waiting} batches have no place in the feed"] if waiting else []


def _feed(facts: Facts, stored: list[StoredChange]) -> Iterator[str]:
    """The feed by cursor: every stored change once, none before its shard's earlier ones."""
    seen: list[StoredChange] = []
    cursor, more = feed.START, True
    while more:
        changes, cursor, more = feed.read(cursor, streams=[facts.stream.pk], limit=_PAGE)
        seen += changes
    places = [row.cursor for row in seen if row.cursor]
    if places != sorted(set(places)) or len(places) != len(seen):
        yield "the feed's cursors do not grow"
    if Counter(row.sequence for row in seen) != Counter(row.sequence for row in stored):
        yield f"the feed has {len(seen)} changes, {len(stored)} are stored"
    latest: dict[Any, tuple[int, int]] = {}
    for row in seen:
        place = row.generation, int(row.sequence)
        if place <= latest.get(row.item, (0, 0)):
            yield f"the feed has the changes of item {row.item} out of order"
        latest[row.item] = place


def violations(facts: Facts) -> Iterator[str]:
    """Who takes a lease by force makes readers meet, and a parent that ended before the stream's
    start is not read; nothing else explains what the service saw."""
    over = set(
        Shard.objects.filter(stream=facts.stream, ended=Shard.Ended.BEFORE_START)
        .values_list("children__name", flat=True)
    )  # fmt: skip
    for found in facts.service.watch.violations():
        readers_met = found.kind == "too-many-readers" or found.about.startswith("GetRecords")
        early = found.kind == "child-before-parent" and found.about in over
        if not early and not (readers_met and facts.disturbed):
            yield f"the service saw {found.kind} of {found.about}: {found.detail}"


def _named(place: Place) -> str:
    record = place.record
    return f"{record.operation} {record.sequence} at {record.at:.3f} in {place.shard.id}"


def _spelled(gap: Gap) -> str:
    return f"{gap.reason} {gap.shard} {gap.from_at} to {gap.to_at} after {gap.from_sequence!r}"
