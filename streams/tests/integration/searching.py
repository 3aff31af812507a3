"""Stored changes of every kind, and what a search of them must find."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from streams.change import Change, microseconds
from streams.models import Shard, Stream
from streams.queries.event import event_of, facts_of
from streams.queries.rows import StoredChange
from streams.queries.search import Found, Place, search
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import Wanted
from streams.rules.filter import Filter
from streams.sources.dynamodb import records
from streams.testing.factories import make_shard, make_stream
from streams.testing.simulated.spelling import record
from streams.tests.integration.storing import store_in, stored_in

# 2027-01-10, a Sunday; the store's weeks begin on Thursdays.
BEGIN = int(datetime(2027, 1, 10, tzinfo=UTC).timestamp())
DAY = 86_400

TEXTS = [
    *("ORD#1", "ORD#10", "ORD#2", "ord#1", "paid", "pending", "", "5", "1e3", "true", "AAEC"),
    *('say "hi"', "back\\slash", "tab\there", "nul\0", "Zürich", "日本", "😀", "\ud800", "a.b"),
    *("127.0.0.1", "127.0.0.001", "::1", "0:0:0:0:0:0:0:1", "x" * 47 + "y", "x" * 60, "\uffff"),
]
NUMBERS = ["5", "5.0", "0.5e1", "1000", "1E3", "-0", "0", "12345678901234567890123456789012345678"]
KEYS = [
    *(text for text in TEXTS if text),
    *("ORD#" + "0" * 50 + str(n) for n in range(2)),
]
NAMES = ["customer_id", "status", "sku", "email", "total", "a.b", "nul\0id", "\ud800_id", "Zürich"]
Item = dict[str, Any]


class Shop:
    """A store with several streams whose changes are made by these dice."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.sequence = 0

    def scalar(self) -> Item:
        kind = self.dice.choice(["S", "S", "S", "N", "N", "B", "BOOL", "NULL"])
        values: dict[str, Sequence[Any]] = {
            "S": TEXTS,
            "N": NUMBERS,
            "B": ["AAEC", "5555", ""],
            "BOOL": [True, False],
            "NULL": [True],
        }
        return {kind: self.dice.choice(values[kind])}

    def value(self) -> Item:
        dice = self.dice
        kind = dice.choice(["scalar"] * 8 + ["SS", "NS", "BS", "L", "M", "many"])
        if kind == "scalar":
            return self.scalar()
        if kind in ("SS", "NS"):
            members = TEXTS if kind == "SS" else NUMBERS
            return {kind: dice.sample(members, dice.randint(1, 3))}
        if kind == "BS":
            return {"BS": ["AAEC", "5555"]}
        if kind == "M":
            return {"M": {dice.choice(NAMES): self.scalar() for _ in range(2)}}
        many = 70 if kind == "many" else dice.randint(0, 3)
        return {"L": [dice.choice([self.scalar(), {"L": [self.scalar()]}]) for _ in range(many)]}

    def image(self, keys: Item) -> Item:
        names = self.dice.sample(NAMES, self.dice.randint(1, 5))
        return {**keys, **{name: self.value() for name in names if name not in keys}}

    def key(self, schema: Sequence[Sequence[str]]) -> Item:
        values: dict[str, Sequence[str]] = {"S": KEYS, "N": NUMBERS, "B": ["AAEC", "5555"]}
        return {name: {type_: self.dice.choice(values[type_])} for name, type_ in schema}

    def raw(self, stream: Stream) -> bytes:
        """A record of the stream, with some of what may stand in one."""
        dice, keys = self.dice, self.key(stream.key_schema)
        old = self.image(keys) if dice.random() < 0.7 else None
        new = self.image(keys) if old is None or dice.random() < 0.8 else None
        if old and new and dice.random() < 0.5:
            new = {**old, **dict(dice.sample(sorted(new.items()), 1))}
        self.sequence += 1
        spelled = record(
            arn=stream.arn,
            region="eu-central-1",
            view_type=stream.view_type,
            sequence=10**20 + self.sequence,
            second=BEGIN + DAY * dice.randint(0, 9) + dice.choice([0, 1, 1, 1, 1, 2, 3600]),
            keys=keys,
            old=old,
            new=new,
            by_time_to_live=new is None and dice.random() < 0.4,
        )
        # Compact, spaced, or escaped: however a source may spell it.
        separators = dice.choice([(",", ":"), (",", ":"), (", ", ": ")])
        text = json.dumps(spelled, separators=separators, ensure_ascii=False)
        try:
            return text.encode() if dice.random() < 0.8 else json.dumps(spelled).encode()
        except UnicodeEncodeError:
            return json.dumps(spelled, separators=separators).encode()

    def store(self, stream: Stream, number: int) -> Shard:
        """So many changes in batches of a few, whose times are in no order."""
        shard = make_shard(stream)
        while number > 0:
            batch = [self.change(stream) for _ in range(self.dice.randint(1, 12))]
            store_in(shard, *batch)
            number -= len(batch)
        return shard

    def change(self, stream: Stream) -> Change:
        return records.parse(self.raw(stream), stream.pk, stream.indexed)


def stored_shop(seed: int, number: int) -> Shop:
    """Streams of different keys, view types and indexed attributes, with so many changes each."""
    shop = Shop(seed)
    kinds: list[dict[str, Any]] = [
        {"key_schema": [["order_id", "S"]]},
        {"key_schema": [["pk", "S"], ["sk", "N"]], "keep_days": 30},
        {"key_schema": [["pk", "N"]], "indexed_attributes": ["status", "pk", "a.b"]},
        {"key_schema": [["pk", "B"]], "view_type": "NEW_IMAGE", "indexed_attributes": ["total"]},
        {"key_schema": [["order_id", "S"]], "view_type": "KEYS_ONLY"},
        {
            "key_schema": [["a.b", "S"]],
            "view_type": "OLD_IMAGE",
            "indexed_since": datetime.fromtimestamp(BEGIN + 4 * DAY, UTC).date(),
        },
    ]
    for place, kind in enumerate(shop.dice.sample(kinds, 3)):
        shop.store(make_stream(f"shop{place}", **kind), number)
    return shop


# What must be found


def everything() -> list[StoredChange]:
    """All that is stored, newest first."""
    found = [change for stream in Stream.objects.all() for change in stored_in(stream)]
    return sorted(found, key=place_of, reverse=True)


def place_of(change: StoredChange) -> Place:
    batch, _, ordinal = change.id.partition("-")
    return Place(microseconds(change.occurred_at), int(batch), int(ordinal))


def whole_event(change: StoredChange) -> dict[str, Any]:
    """The event of a change with all that a filter may ask for."""
    facts = facts_of(Stream.objects.get(pk=change.stream_id))
    return event_of(change, ChangeEvents(facts, Wanted.everything()))


def pages(filter_: Filter, *, oldest_first: bool = False, **asked: Any) -> Iterator[Found]:
    """All pages from the one end to the other."""
    place: Place | None = None
    while True:
        if oldest_first:
            found = search(filter_, oldest_first=True, after=place, **asked)
        else:
            found = search(filter_, before=place, **asked)
        yield found
        place = found.newer if oldest_first else found.older
        if place is None:
            return
