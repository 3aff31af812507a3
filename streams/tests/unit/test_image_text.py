"""Images in other languages, and what is no image at all."""

import ast
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from boto3.dynamodb.types import Binary, TypeSerializer
from hypothesis import given

from streams.diff import same
from streams.image import MOST_LEVELS, Unreadable, read
from streams.image_text import losses, plain_json, python
from streams.tests.unit.any_image import images


def as_bytes(image: Any) -> bytes:
    return json.dumps(image).encode()


def evaluated(text: str) -> Any:
    """The dict that the Python text spells."""
    names: dict[str, Any] = {"Decimal": Decimal, "Binary": Binary}
    tree = ast.parse(text)
    exec(compile(tree, "item", "exec"), names)  # noqa: S102 - our own text, that is the test
    return names["item"]


def plain(value: Any) -> Any:
    """What plain JSON says of a typed value, numbers as Decimal."""
    ((type_, content),) = value.items()
    match type_:
        case "M":
            return {name: plain(member) for name, member in content.items()}
        case "L":
            return [plain(member) for member in content]
        case "NS":
            return [Decimal(member) for member in content]
        case "N":
            return Decimal(content)
        case "NULL":
            return None
        case _:
            return content


@given(images)
def test_the_python_text_makes_the_same_image_through_boto3(image: Any) -> None:
    item = evaluated(python(image))
    made = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    assert same({"M": _spelled(made)}, {"M": image})


def _spelled(value: Any) -> Any:
    """What boto3 made, with binaries as base64 as the stream spells them."""
    if isinstance(value, bytes):
        return msgspec.json.decode(msgspec.json.encode(value))
    if isinstance(value, dict):
        return {name: _spelled(member) for name, member in value.items()}
    return [_spelled(member) for member in value] if isinstance(value, list) else value


@given(images)
def test_plain_json_has_every_value_and_every_digit(image: Any) -> None:
    read_back = json.loads(plain_json(image), parse_float=Decimal, parse_int=Decimal)
    assert read_back == plain({"M": image})


@given(images)
def test_an_image_is_read_as_it_is(image: Any) -> None:
    assert read(as_bytes(image)) == image


def test_38_digits_are_in_every_language() -> None:
    digits = "12345678901234567890123456789012345678"
    image = {"n": {"N": digits}, "odd": {"N": "007"}}
    assert f'"n": {digits}' in plain_json(image) and '"odd": 7' in plain_json(image)
    assert f"Decimal('{digits}')" in python(image)


def test_the_python_text_imports_what_it_needs() -> None:
    assert python({"a": {"S": "x"}}) == "item = {\n  'a': 'x'\n}\n"
    assert python({"a": {"N": "1"}}).startswith("from decimal import Decimal\n\nitem = {")
    assert "from boto3.dynamodb.types import Binary" in python({"a": {"B": "AAEC"}})


def test_it_says_what_plain_json_loses() -> None:
    image = {"a": {"L": [{"SS": ["x"]}, {"M": {"b": {"B": ""}}}]}}
    assert losses(image) == ["binaries became base64 text", "sets became lists"]
    assert losses({"a": {"N": "1"}}) == []


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (b"[]", "not a JSON object"),
        (b"{", "not JSON"),
        (b'{"a": "x"}', "'a' holds a value without one type"),
        (b'{"a": {"X": 1}}', "unknown type 'X'"),
        (b'{"a": {"L": [{"N": 1}]}}', "'a' holds a value of type N that is no such value"),
        (b'{"a": {"SS": ["x", 1]}}', "type SS"),
        (b'{"a": ' + b'{"L": [' * 200 + b"]}" * 200 + b"}", f"more than {MOST_LEVELS} levels"),
        (b'{"a": ' + b'{"L": [' * 99_999 + b"]}" * 99_999 + b"}", "not JSON"),
    ],
)
def test_what_is_no_image_is_refused_with_a_reason(image: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read(image)


def test_lone_surrogates_are_read() -> None:
    assert read(b'{"a": {"S": "\\ud800"}}') == {"a": {"S": "\ud800"}}
