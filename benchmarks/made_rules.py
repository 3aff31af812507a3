"""What `rules.py` measures with: changes, patterns and events, all from one seed."""

import json
import random
from collections.abc import Callable
from typing import Any

from streams.change import Change
from streams.rules.events.change_parts import StreamFacts

STREAM = StreamFacts.of(
    "orders",
    "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2027-01-15T08:00:00.000",
    "NEW_AND_OLD_IMAGES",
)
CUSTOMERS, SKUS, NETWORKS = 1_000_000, 100_000, 65_536
_STATUSES = ("placed", "paid", "packed", "shipped", "delivered")
_COUNTRIES = ("AT", "CH", "CZ", "DE", "FR", "NL", "PL", "SE")
_WORDS = ("alpha", "bravo", "gift", "ring", "door", "later", "please", "leave", "garden", "call")

Pattern = dict[str, Any]


def item(dice: random.Random, number: int) -> dict[str, Any]:
    """An order as DynamoDB spells it; some 550 bytes."""
    customer = dice.randrange(CUSTOMERS)
    return {
        "pk": {"S": f"ORDER#{number:08}"},
        "status": {"S": dice.choice(_STATUSES)},
        "customer": {"S": f"C{customer:07}"},
        "email": {"S": f"user{customer:07}@example{dice.randrange(500)}.com"},
        "country": {"S": dice.choice(_COUNTRIES)},
        "total": {"N": f"{dice.randrange(100_000_000) / 100:.2f}"},
        "ip": {"S": ".".join(str(dice.randrange(256)) for _ in range(4))},
        "gift": {"BOOL": dice.random() < 0.1},
        "tags": {"SS": dice.sample(_WORDS, 2)},
        "lines": {"L": [{"M": {"sku": {"S": _sku(dice)}, "qty": {"N": "2"}}} for _ in range(2)]},
        "note": {"S": " ".join(dice.choices(_WORDS, k=26))},
    }


def changes(count: int, seed: int = 4) -> list[Change]:
    """Inserts, updates and removals as they are parsed, with both images where there are two."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        operation = dice.choice(("INSERT", "MODIFY", "MODIFY", "MODIFY", "REMOVE"))
        old = None if operation == "INSERT" else item(dice, number)
        new = None if operation == "REMOVE" else item(dice, number)
        if old and new:  # an update leaves most attributes as they were
            new = old | {name: new[name] for name in ("status", "total", "note")}
        names = list(old or new or {}) if old is None or new is None else ["status", "total"]
        made.append(
            Change(
                operation=operation,
                item=b"",
                sequence=f"{number:021}",
                event_id=f"{number:032x}",
                occurred=1_800_000_000_000_000 + number,
                keys=_bytes({"pk": (new or old or {})["pk"]}),
                old=_bytes(old) if old else None,
                new=_bytes(new) if new else None,
                changed=tuple(sorted(names)),
                user_identity=None,
                size=900,
            )
        )
    return made


def patterns(count: int, seed: int = 5) -> list[Pattern]:
    """Three that match often, the others each for a change in tens of thousands or so; every
    operator, one field and several, both shapes."""
    dice = random.Random(seed)
    narrow = [_NARROW[number % len(_NARROW)](dice) for number in range(count - len(_BROAD))]
    return [*_BROAD, *narrow]


def _customer(dice: random.Random) -> str:
    return f"C{dice.randrange(CUSTOMERS):07}"


def _sku(dice: random.Random) -> str:
    return f"SKU-{dice.randrange(SKUS):06}"


def _new(name: str, *tests: Any) -> Pattern:
    return {"new": {name: list(tests)}}


def _typed(name: str, kind: str, *tests: Any) -> Pattern:
    return {"dynamodb": {"NewImage": {name: {kind: list(tests)}}}}


def _between(dice: random.Random, width: float) -> list[Any]:
    low = dice.randrange(100_000_000) / 100
    return [">=", low, "<", round(low + width, 2)]


_BROAD: list[Pattern] = [
    {"operation": ["MODIFY"], "old": {"status": ["placed"]}, "new": {"status": ["paid"]}},
    {"eventName": ["REMOVE"], "dynamodb": {"OldImage": {"country": {"S": ["DE", "AT"]}}}},
    {"new": {"gift": [True], "total": [{"numeric": [">", 500_000]}]}},
]
# Among the first seven, the ones of ten rules, is every kind of look at an event.
_NARROW: list[Callable[[random.Random], Pattern]] = [
    lambda dice: _typed("customer", "S", _customer(dice), _customer(dice)),
    lambda dice: _new("email", {"wildcard": f"u*{dice.randrange(1_000_000):06}@*.com"}),
    lambda dice: _new("total", {"numeric": _between(dice, 0.05)}),
    lambda dice: _new("ip", {"cidr": f"{dice.randrange(256)}.{dice.randrange(256)}.0.0/20"}),
    lambda dice: {"new": {"lines": {"sku": [_sku(dice)]}, "country": ["FR"], "gift": [True]}},
    lambda dice: {
        "new": {
            "customer": [_customer(dice)],
            "status": [{"anything-but": ["delivered", "packed"]}],
        }
    },
    lambda dice: {
        "operation": ["INSERT"],
        **_new("email", {"prefix": f"user{_customer(dice)[1:]}"}),
    },
    lambda dice: _new("customer", _customer(dice)),
    lambda dice: {"keys": {"pk": [f"ORDER#{dice.randrange(50_000, 100_000_000):08}"]}},
    lambda dice: _new("email", {"suffix": f"{dice.randrange(1_000_000):06}@example7.com"}),
    lambda dice: _new("customer", {"equals-ignore-case": _customer(dice).lower()}),
    lambda dice: {"changed": ["total"], **_new("total", {"numeric": ["=", _between(dice, 1)[1]]})},
    lambda dice: {
        "old": {"customer": [{"exists": False}]},
        "new": {"customer": [_customer(dice)], "country": [{"prefix": "D"}]},
    },
    lambda dice: {
        "new": {"$or": [{"customer": [_customer(dice)]}, {"ip": [f"10.1.2.{dice.randrange(256)}"]}]}
    },
    lambda dice: {"table": ["orders"], "eventName": ["REMOVE"], **_old_customer(dice)},
    lambda dice: {"table": [f"table{dice.randrange(100)}"], "operation": ["REMOVE"]},
]


def _old_customer(dice: random.Random) -> Pattern:
    return {"dynamodb": {"OldImage": {"customer": {"S": [{"prefix": _customer(dice)}]}}}}


def lots(count: int, seed: int = 6) -> list[str]:
    """Lots of a city, like those event-ruler is measured with; some 900 bytes of JSON each."""
    dice = random.Random(seed)
    return [json.dumps(_lot(dice)) for _ in range(count)]


def _lot(dice: random.Random) -> dict[str, Any]:
    corner = {"z": 0.0}
    block, lot = dice.randrange(10_000), dice.randrange(1_000)
    return {
        "type": "Feature",
        "properties": {
            "MAPBLKLOT": f"{block:04}{lot:03}",
            "BLKLOT": f"{block:04}{lot:03}",
            "BLOCK_NUM": f"{block:04}",
            "LOT_NUM": f"{lot:03}",
            "FROM_ST": str(dice.randrange(3_000)),
            "TO_ST": str(dice.randrange(3_000)),
            "STREET": dice.choice(STREETS),
            "ST_TYPE": dice.choice(("ST", "AVE", "BLVD", None)),
            "ODD_EVEN": dice.choice("EO"),
            "height": dice.randrange(10_000) / 100,
        },
        "geometry": {
            "type": "Polygon",
            "coordinates": [
                {"x": dice.uniform(-123, -122), "y": dice.uniform(37, 38), **corner}
                for _ in range(8)
            ],
        },
    }


STREETS = [
    f"{a}{b}" for a in ("NORTH", "LAKE", "MARKET", "OAK", "FRANK") for b in ("LIN", "TON", "")
]


def _five(name: str, *tests: Any) -> list[Pattern]:
    return [{"properties": {name: [test]}} for test in tests]


# Five rules of each kind, and what event-ruler's authors publish for it, in events/s.
KINDS: dict[str, tuple[list[Pattern], str]] = {
    "exact": (_five("MAPBLKLOT", "1430022", "0001001", "7222001", "1000231", "2607117"), "220,000"),
    "prefix": (_five("STREET", *({"prefix": s} for s in ("AC", "BL", "MAR", "FRANKL", "X"))), "-"),
    "suffix": (_five("STREET", *({"suffix": s} for s in ("ON", "KE", "MAR", "LIN", "X"))), "-"),
    "ignore case": (
        _five(
            "STREET", *({"equals-ignore-case": s} for s in ("oak", "Lake", "x", "NorthTon", "y"))
        ),
        "200,000",
    ),
    "wildcard": (
        _five(
            "MAPBLKLOT", *({"wildcard": s} for s in ("143*", "2*0*1*7", "*218", "3*5*2", "*17*"))
        ),
        "170,000",
    ),
    "anything-but": (
        _five("ODD_EVEN", *({"anything-but": s} for s in ("E", ["E", "O"], "O", ["X"], "Y"))),
        "150,000",
    ),
    "numeric": (
        _five(
            "height",
            *(
                {"numeric": r}
                for r in ([">", 99], ["<", 1], ["=", 5], [">", 4, "<", 5], [">=", 98])
            ),
        ),
        "120,000",
    ),
    "arrays": (
        [
            {"geometry": {"type": ["Polygon"], "coordinates": {"x": [{"numeric": r}], "z": [0]}}}
            for r in (["<", -122.9], [">", -122.01], ["=", -122.5], [">", 0], ["<", -122.99])
        ],
        "35,000",
    ),
}


def _bytes(image: Pattern) -> bytes:
    return json.dumps(image, separators=(",", ":")).encode()
