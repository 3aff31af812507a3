"""An image in other languages: plain JSON, and Python as boto3 takes it. Plain Python."""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from streams.diff import Image, Typed, typed
from streams.item_key import canonical_number

_SURROGATE = re.compile("[\ud800-\udfff]")
# A number that JSON spells the same way.
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_INDENT = "  "

LOSSY = {
    "SS": "sets became lists",
    "NS": "sets became lists",
    "BS": "sets became lists",
    "B": "binaries became base64 text",
}


def plain_json(image: Image) -> str:
    """The item without types: numbers with all their digits, sets as lists, binaries as base64."""
    return lay_out({"M": image}, _Json()) + "\n"


def python(image: Image) -> str:
    """A dict for boto3's resources: Decimal, Binary and sets; it begins with its imports."""
    text = lay_out({"M": image}, _Python())
    names = [line for name, line in _IMPORTS.items() if f"{name}(" in text]
    return "\n".join([*names, "", f"item = {text}"] if names else [f"item = {text}"]) + "\n"


def losses(image: Image) -> list[str]:
    """What plain JSON does not keep of this image, in words."""
    found: set[str] = set()
    pending: list[Typed] = list(image.values())
    while pending:
        type_, content = typed(pending.pop())
        if type_ in LOSSY:
            found.add(LOSSY[type_])
        if type_ == "BS":
            found.add(LOSSY["B"])
        pending += content.values() if type_ == "M" else content if type_ == "L" else []
    return sorted(found)


_IMPORTS = {
    "Decimal": "from decimal import Decimal",
    "Binary": "from boto3.dynamodb.types import Binary",
}


class Language(Protocol):
    """How one language spells values; maps, lists and indents are the same in all."""

    null: str
    true: str
    false: str
    set_marks: tuple[str, str]
    empty_set: str

    def string(self, text: str) -> str: ...

    def number(self, text: str) -> str: ...

    def binary(self, text: str) -> str: ...


class _Json:
    null, true, false = "null", "true", "false"
    set_marks, empty_set = ("[", "]"), "[]"

    def string(self, text: str) -> str:
        # Escaped: lone surrogates have no UTF-8.
        quoted = json.dumps(text, ensure_ascii=False)
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)

    def number(self, text: str) -> str:
        if _JSON_NUMBER.match(text):
            return text
        try:
            return canonical_number(text)
        except InvalidOperation:  # no number DynamoDB can hold, and none for JSON
            return self.string(text)

    def binary(self, text: str) -> str:
        return self.string(text)


class _Python:
    null, true, false = "None", "True", "False"
    set_marks, empty_set = ("{", "}"), "set()"

    def string(self, text: str) -> str:
        return repr(text)

    def number(self, text: str) -> str:
        try:
            Decimal(text)
        except InvalidOperation:
            return repr(text)
        return f"Decimal({text!r})"

    def binary(self, text: str) -> str:
        try:
            return f"Binary({base64.b64decode(text, validate=True)!r})"
        except (binascii.Error, ValueError):
            return repr(text)


class Reading:
    """For people: as JSON, but sets have braces, and of binaries only the size is said."""

    null, true, false = "NULL", "true", "false"
    set_marks, empty_set = ("{", "}"), "{}"

    def string(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    def number(self, text: str) -> str:
        return text

    def binary(self, text: str) -> str:
        return f"binary, {len(text) * 3 // 4 - text[-2:].count('='):,} bytes"


def lay_out(value: Typed, words: Language, level: int = 0) -> str:
    """A value in a language, a member a line."""
    type_, content = typed(value)
    match type_:
        case "M":
            members = (
                f"{words.string(name)}: {lay_out(member, words, level + 1)}"
                for name, member in content.items()
            )
            return _block("{", "}", members, level)
        case "L":
            inner = (lay_out(member, words, level + 1) for member in content)
            return _block("[", "]", inner, level)
        case "SS" | "NS" | "BS":
            members = (_scalar(type_[0], member, words) for member in content)
            return _block(*words.set_marks, members, level) if content else words.empty_set
        case _:
            return _scalar(type_, content, words)


def _scalar(type_: str, content: Any, words: Language) -> str:
    match type_:
        case "S":
            return words.string(content)
        case "N":
            return words.number(content)
        case "B":
            return words.binary(content)
        case "BOOL":
            return words.true if content else words.false
        case _:
            return words.null


def _block(begin: str, end: str, members: Iterable[str], level: int) -> str:
    pad = "\n" + _INDENT * (level + 1)
    inner = f",{pad}".join(members)
    return f"{begin}{pad}{inner}\n{_INDENT * level}{end}" if inner else begin + end
