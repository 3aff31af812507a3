"""Items as large, deep and strange as DynamoDB allows, and a little beyond."""

import base64
from typing import Any

from dashboard.tests.seeding import Item, text

HTML = '<script>document.title = "broken"</script><img src=x onerror="document.title=1">'
TURNED = "invoice\u202etxt.exe\u2066\u05d9\u05d5\u05e1\u05d9"
CONTROLS = "bell \x07, NUL \x00, escape \x1b[31m, half \ud83d of a pair"
KEYS = [HTML, TURNED, CONTROLS, "a/b?c#d%2e..", "'\"&<>\\", " ", "\U0001f4a5" * 30, "x" * 2_000]


def deep(levels: int, leaf: Item) -> Any:
    """A value so many maps and lists deep."""
    value: Any = leaf
    for level in range(levels):
        value = {"M": {"in": value}} if level % 2 else {"L": [text("first"), value]}
    return value


def wide(count: int, value: str) -> dict[str, Item]:
    return {f"attribute{number}": text(f"{value} {number}") for number in range(count)}


def large(word: str) -> dict[str, Item]:
    """400 KB: a long text, many small fields, a long list, a binary."""
    return {
        "text": text(f"{word} " * 35_000),
        "data": {"B": base64.b64encode(word.encode() * 25_000).decode()},
        "lines": {
            "L": [{"M": {"sku": text(f"{word}-{n}"), "qty": {"N": str(n)}}} for n in range(900)]
        },
        **wide(1_000, word * 5),
    }


def strange(leaf: str) -> dict[str, Item]:
    return {
        HTML: text(HTML + leaf),
        TURNED: text(TURNED + leaf),
        "bell \x07 and escape \x1b": text(CONTROLS + leaf),
        "": text(leaf),
        "a.b[0]": {"M": {"": {"SS": [HTML, TURNED, leaf]}}},
        "number": {"N": "9" * 38 if leaf == "old" else "1" + "0" * 37},
        "tiny": {"N": "1E-130" if leaf == "old" else "0"},
        "long name " + "n" * 5_000: text(leaf),
    }
