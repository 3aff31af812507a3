"""What a bare name in an expression became, put together again.

`status:paid` compiles to three clauses: the attribute in new, in old or in keys. Whoever shows a
form, as an expression or a sentence, shows the three as one.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from streams.rules.expressions.fields import IMAGES
from streams.rules.filter_form import Field


class Part(NamedTuple):
    """A condition of a clause as text. If it is about an attribute of one image, `bare` is what is
    said instead where the same holds for any of the images. `field` is the field it says, if it
    says one."""

    text: str
    image: str = ""
    bare: str | None = None
    field: Field | None = None


def united(clauses: list[tuple[Part, ...]]) -> list[tuple[Part, ...]]:
    """Three clauses that differ only in which image they ask for become one, again and again."""
    before = -1
    while before != len(clauses):
        before, waiting, clauses = len(clauses), clauses, []
        place = 0
        while place < len(waiting):
            one = _unite(waiting[place : place + len(IMAGES)])
            clauses.append(one or waiting[place])
            place += len(IMAGES) if one else 1
    return clauses


def _unite(clauses: list[tuple[Part, ...]]) -> tuple[Part, ...] | None:
    if len({len(clause) for clause in clauses}) != 1 or len(clauses) < len(IMAGES):
        return None
    places = [n for n, parts in enumerate(zip(*clauses, strict=True)) if len(set(parts)) > 1]
    if len(places) != 1:
        return None
    parts = [clause[places[0]] for clause in clauses]
    bare = parts[0].bare
    if bare is None or [(part.image, part.bare) for part in parts] != [(i, bare) for i in IMAGES]:
        return None
    united = list(clauses[0])
    united[places[0]] = Part(bare)
    return tuple(united)


def with_transitions(
    parts: Sequence[Part], said: Callable[[Field, Field], str | None]
) -> tuple[Part, ...]:
    """Two fields of the same attribute, in old and then in new, as one part, where there is a text
    for both together."""
    found: list[Part] = []
    for part in parts:
        old, new = found[-1].field if found else None, part.field
        attribute = new.path.removeprefix("new.") if new else ""
        if new and old and new.path != attribute and old.path == f"old.{attribute}":
            text = said(old, new)
            if text is not None:
                found[-1] = Part(text)
                continue
        found.append(part)
    return tuple(found)
