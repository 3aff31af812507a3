"""Records that are broken in the ways a reader must survive. They are broken when they are
written, so that every read of them shows the same bytes."""

from collections.abc import Callable
from typing import Any

from streams.testing.simulated.spelling import encode

_MARK = b"broken text"


def _data(**fields: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda record: encode({**record, "dynamodb": {**record["dynamodb"], **fields}})


def _without(*names: str) -> Callable[[dict[str, Any]], bytes]:
    def spoil(record: dict[str, Any]) -> bytes:
        data = {k: v for k, v in record["dynamodb"].items() if k not in names}
        return encode({**record, "dynamodb": data})

    return spoil


def _with_text(inside: bytes) -> Callable[[dict[str, Any]], bytes]:
    """An attribute in the images whose text holds these very bytes."""

    def spoil(record: dict[str, Any]) -> bytes:
        data = dict(record["dynamodb"])
        for image in {"NewImage", "OldImage"} & data.keys():
            data[image] = {**data[image], "text": {"S": _MARK.decode()}}
        return encode({**record, "dynamodb": data}).replace(_MARK, inside)

    return spoil


# Records that tell what they must, only strangely: a reader stores them.
STRANGE: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "lone-surrogate": _with_text(rb"a\ud800b"),
    "invalid-utf8": _with_text(b"a\xffb"),
    "nul": _with_text(rb"a\u0000b"),
}
# Records that cannot be a change: a reader sets them aside and goes on.
UNREADABLE: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "no-sequence": _without("SequenceNumber"),
    "no-keys": _without("Keys"),
    "no-time": _without("ApproximateCreationDateTime"),
    "sequence-is-no-number": _data(SequenceNumber="forty-two"),
    "sequence-is-a-number": _data(SequenceNumber=42),
    "keys-are-a-list": _data(Keys=["pk"]),
    "number-key-is-none": _data(Keys={"pk": {"N": "seven"}}),
    "key-without-type": _data(Keys={"pk": "a"}),
    "image-is-text": _data(NewImage="all of it", OldImage="all of it"),
    "absurd-time": _data(ApproximateCreationDateTime=1e18),
    "time-before-all": _data(ApproximateCreationDateTime=-62_135_596_800),
    "time-is-text": _data(ApproximateCreationDateTime="yesterday"),
    "unknown-event": lambda record: encode({**record, "eventName": "UPSERT"}),
    "no-data": lambda record: encode({k: v for k, v in record.items() if k != "dynamodb"}),
    "a-number": lambda record: b"7",
    "null": lambda record: b"null",
}
KINDS = {**STRANGE, **UNREADABLE}


def spell(record: dict[str, Any], kind: str = "") -> bytes:
    """The record's bytes, broken in this way if one is given."""
    return KINDS[kind](record) if kind else encode(record)
