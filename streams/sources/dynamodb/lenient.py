"""Reading what msgspec refuses: lone surrogates (`"\\ud800"`), and bytes that are no UTF-8.

Slow and rare, with Python's own json. What was an escape stays the same escape; a byte that is no
UTF-8 becomes one (0xff is kept as `\\udcff`), so that nothing is lost and Postgres takes it.
"""

import json
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_SETS = {"SS", "NS", "BS"}


def page(answer: bytes) -> tuple[list[bytes], str | None]:
    """The raw records of a GetRecords answer and the next iterator; ValueError if it is no JSON,
    TypeError if it is another thing than an answer."""
    body = load(answer)
    return [spell(record) for record in body["Records"]], body.get("NextShardIterator")


def record(raw: bytes, shape: type[T]) -> T:
    """The record in the given shape, its `Raw` parts spelled anew."""
    body = load(raw)
    data = body.get("dynamodb")
    if not isinstance(data, dict):
        raise TypeError("the record has no `dynamodb` part")
    parts = {"Keys", "NewImage", "OldImage"} & data.keys()
    data |= {name: msgspec.Raw(spell(data[name])) for name in parts}
    if "userIdentity" in body:
        body["userIdentity"] = msgspec.Raw(spell(body["userIdentity"]))
    return msgspec.convert({**body, "dynamodb": data}, shape)


def load(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """The JSON object; TypeError if it is something else."""
    value = json.loads(bytes(raw).decode("utf-8", "surrogateescape"))
    if not isinstance(value, dict):
        raise TypeError("not a JSON object")
    return value


def same(before: Any, after: Any) -> bool:
    """True if two attribute values are the same; the order of a set's members does not count."""
    return bool(_comparable(before) == _comparable(after))


def _comparable(value: Any) -> Any:
    if isinstance(value, dict) and len(value) == 1 and value.keys() <= _SETS:
        return {type_: frozenset(members) for type_, members in value.items()}
    return value


def spell(value: Any) -> bytes:
    """The JSON bytes of what `load` gave."""
    # ASCII only: surrogates become escapes again, as they came.
    return json.dumps(value, separators=(",", ":")).encode()
