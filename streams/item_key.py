"""An item's key: its one canonical spelling, its id in the store, and reading it from people."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Context, InvalidOperation
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

import orjson

from streams.errors import MalformedKey

# {"pk": {"S": "ORD#1"}, "sk": {"N": "7"}}
Key = Mapping[str, Mapping[str, str]]

_PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*\Z")
# A key attribute that is spelled the canonical way already: most are.
_CANONICAL = (
    rb'"([A-Za-z0-9_.-]{1,255})":'
    rb'\{"(?:[SB]":"[ !#-\[\]-~]*"|N":"(?:0|-?[1-9][0-9]*)")\}'
)
_canonical_key = re.compile(rb"\{" + _CANONICAL + rb"(?:," + _CANONICAL + rb")?\}").fullmatch
# DynamoDB numbers have up to 38 digits; Python's default context would round them at 28.
_EXACT = Context(prec=200)


def canonical_number(text: str) -> str:
    """The one spelling of a number: no exponent, no leading or trailing zeros, no minus zero."""
    if _PLAIN_INTEGER.fullmatch(text):
        return text
    number = _EXACT.create_decimal(text)
    if not number.is_finite():
        raise InvalidOperation(f"{text!r} is not a number")
    if abs(number.adjusted()) > 200:  # beyond any DynamoDB number; spelled out it could fill memory
        raise InvalidOperation(f"{text!r} is out of range")
    plain = format(number, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "") else plain


def canonical(key: Key) -> str:
    """The key as JSON text in ASCII that is the same however the key was spelled."""
    spelled = {
        name: {"N": canonical_number(typed["N"])} if "N" in typed else typed
        for name, typed in key.items()
    }
    try:
        text = orjson.dumps(spelled, option=orjson.OPT_SORT_KEYS)
        if text.isascii():
            return text.decode()
    except TypeError:
        pass  # orjson takes no lone surrogates
    return json.dumps(spelled, sort_keys=True, separators=(",", ":"))


def is_canonical(spelled: bytes) -> bool:
    """True if these bytes of a key are surely what `canonical` would make of it."""
    found = _canonical_key(spelled)
    return found is not None and (found.lastindex == 1 or found[1] < found[2])


def item_id(stream_id: int, canonical_key: str) -> UUID:
    """The item's id in the store: 128 bits over the stream and the key's canonical spelling."""
    return UUID(bytes=item_bytes(stream_id, canonical_key.encode()))


def item_bytes(stream_id: int, canonical_key: bytes) -> bytes:
    """The same id as its 16 bytes."""
    digest = _begun(stream_id).copy()
    digest.update(canonical_key)
    return digest.digest()


@lru_cache(maxsize=1_024)  # to go on from a copy is cheaper than to begin
def _begun(stream_id: int) -> blake2b:
    return blake2b(b"%d " % stream_id, digest_size=16)


def label(key: Key) -> str:
    """The key for people: the values, separated by a slash."""
    return " / ".join(str(value) for typed in key.values() for value in typed.values())


def token(canonical_key: str) -> str:
    """The key as part of a URL."""
    return base64.urlsafe_b64encode(canonical_key.encode()).decode().rstrip("=")


def token_of(key: Key) -> str:
    """The same of a key that need not be canonical."""
    return token(canonical(key))


def from_token(text: str) -> Key:
    """The key of a URL's part; MalformedKey if it was not made by `token`."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return _typed(json.loads(raw), [])
    except (ValueError, RecursionError) as error:
        raise MalformedKey("This address does not name an item.") from error


def parse(text: str, schema: Sequence[Sequence[str]]) -> Key:
    """The key a person wrote, as DynamoDB JSON or plain JSON; MalformedKey says what is wrong.

    `schema` is the stream's key schema, [[name, type], …]. Numbers are read as text, so that all
    38 digits count; a plain string stands for the type the schema gives, a binary as base64.
    """
    try:
        value = json.loads(text, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError) as error:
        raise MalformedKey(f"The key is not JSON ({error}). {_example(schema)}") from error
    if not isinstance(value, dict):
        if len(schema) != 1 or isinstance(value, list):
            raise MalformedKey(f"The key must be a JSON object. {_example(schema)}")
        value = {schema[0][0]: value}
    return _typed(value, schema)


class _Number(str):
    """A JSON number, as it was written."""


def _typed(value: object, schema: Sequence[Sequence[str]]) -> Key:
    if not isinstance(value, dict) or not value:
        raise MalformedKey(f"The key must be a JSON object. {_example(schema)}")
    if schema and set(value) != {name for name, _ in schema}:
        raise MalformedKey(
            f"The key has {_names(value)}, the table's key is {_names(n for n, _ in schema)}. "
            f"{_example(schema)}"
        )
    types = {name: type_ for name, type_ in schema}
    return {name: _attribute(name, given, types.get(name)) for name, given in value.items()}


def _attribute(name: str, given: object, type_: str | None) -> dict[str, str]:
    if isinstance(given, dict):
        if len(given) != 1:
            raise MalformedKey(f'"{name}" must have one type, as in {{"S": "text"}}.')
        spelled, given = next(iter(given.items()))
        if type_ and spelled != type_:
            raise MalformedKey(f'"{name}" is of type {type_} in this table, not {spelled}.')
        type_ = spelled
    if type_ not in ("S", "N", "B") or not isinstance(given, str):
        raise MalformedKey(f'"{name}" must be a string, a number or a binary in base64.')
    if type_ == "S" and isinstance(given, _Number):
        raise MalformedKey(f'"{name}" is a string in this table: write "{given}" in quotes.')
    return _scalar(name, type_, given)


def _scalar(name: str, type_: str, given: str) -> dict[str, str]:
    try:
        if type_ == "N":
            return {"N": canonical_number(given)}
        if type_ == "B":
            base64.b64decode(given, validate=True)
    except (InvalidOperation, binascii.Error) as error:
        raise MalformedKey(
            f'"{name}" is of type {type_} in this table, and {given!r} is no such value.'
        ) from error
    return {type_: str(given)}


def _names(names: object) -> str:
    return ", ".join(f'"{name}"' for name in names)  # type: ignore[attr-defined]


def _example(schema: Sequence[Sequence[str]]) -> str:
    if not schema:
        return ""
    values = {"S": "text", "N": "7", "B": "AAEC"}
    example = {name: {type_: values.get(type_, "text")} for name, type_ in schema}
    return f"Write it like {json.dumps(example)}."
