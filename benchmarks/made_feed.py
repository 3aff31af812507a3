"""What `feed.py` measures with: changes by their number, and filters with their truth."""

from collections.abc import Callable
from typing import Any, NamedTuple

STREAMS = ("orders", "customers", "sessions", "stock")
# So many changes are one batch, of one stream.
BLOCK = 50
STATUSES = ("placed", "paid", "packed", "shipped", "delivered")
REGIONS = ("at", "ch", "cz", "de", "fr", "nl", "pl", "se")
CUSTOMERS = 200
_FILLER = "x" * 300


class Facts(NamedTuple):
    """A change, as a filter's truth asks for it."""

    number: int
    stream: str
    operation: str
    customer: int
    region: str
    status: str
    total: int  # of cents

    @property
    def has_new(self) -> bool:
        return self.operation != "REMOVE"


def facts(n: int) -> Facts:
    """Of twenty changes one is a REMOVE and one an INSERT."""
    operation = {0: "REMOVE", 1: "INSERT"}.get(n % 20, "MODIFY")
    stream = STREAMS[n // BLOCK % len(STREAMS)]
    customer, region = n * 7_919 % CUSTOMERS, REGIONS[n // 3 % len(REGIONS)]
    return Facts(n, stream, operation, customer, region, STATUSES[n % 5], n * 37 % 10_000)


def change(stream_id: int, n: int, now: int) -> Any:
    """The change that is stored; `now` in microseconds since 1970."""
    from streams.change import Change
    from streams.item_key import item_bytes

    it = facts(n)
    keys = f'{{"pk":{{"S":"N#{n:08}"}}}}'.encode()
    old, new = _image(it, n - 1), _image(it, n)
    return Change(
        operation=it.operation,
        item=item_bytes(stream_id, keys),
        sequence=f"{n + 1:021}",
        event_id=f"{n:032x}",
        occurred=now // 1_000_000 * 1_000_000,
        keys=keys,
        old=None if it.operation == "INSERT" else old,
        new=new if it.has_new else None,
        changed=("number", "status") if it.operation == "MODIFY" else ("customer", "number"),
        user_identity=None,
        size=len(old) + len(new),
    )


def _image(it: Facts, version: int) -> bytes:
    return (
        f'{{"pk":{{"S":"N#{it.number:08}"}},"number":{{"N":"{version}"}},'
        f'"customer":{{"S":"C-{it.customer:03}"}},"region":{{"S":"{it.region}"}},'
        f'"status":{{"S":"{STATUSES[version % 5]}"}},"total":{{"N":"{it.total / 100:.2f}"}},'
        f'"note":{{"S":"{_FILLER}"}}}}'
    ).encode()


class Viewer(NamedTuple):
    filter: str
    shows: Callable[[Facts], bool]


def viewers(count: int) -> list[Viewer]:
    """So many different filters: nine of ten let through up to a tenth, the others nearly all."""
    return [_KINDS[i % len(_KINDS)](i) for i in range(count)]


def _of_customer(i: int) -> Viewer:
    return Viewer(
        f"new.customer:C-{i % CUSTOMERS:03}",
        lambda it: it.has_new and it.customer == i % CUSTOMERS,
    )


def _cheap(i: int) -> Viewer:
    return Viewer(f"new.total<{i / 100:.2f}", lambda it: it.has_new and it.total < i)


def _removed(i: int) -> Viewer:
    text = f"op:REMOVE old.total>={i / 10:.2f}"
    return Viewer(text, lambda it: it.operation == "REMOVE" and it.total >= i * 10)


def _of_stream(i: int) -> Viewer:
    stream, region = STREAMS[i % 4], REGIONS[i // 4 % 8]
    return Viewer(
        f"stream:{stream} new.region:{region} new.total>{i / 100:.2f}",
        lambda it: it.stream == stream and it.has_new and it.region == region and it.total > i,
    )


def _some_customers(i: int) -> Viewer:
    digits = f"{i % 100:02}"
    return Viewer(
        f"changed:status new.customer$={digits}",
        lambda it: it.operation == "MODIFY" and f"{it.customer:03}".endswith(digits),
    )


def _nearly_all(i: int) -> Viewer:
    return Viewer(f"old.total>{i / 100:.2f} OR op:INSERT", lambda it: _is_broad(it, i))


def _is_broad(it: Facts, i: int) -> bool:
    return it.operation == "INSERT" or it.total > i


_KINDS = (
    _nearly_all,
    *(_of_customer, _of_stream, _cheap, _removed, _some_customers),
    *(_of_customer, _of_stream, _cheap, _some_customers),
)
