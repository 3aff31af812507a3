"""The nearest name to a misspelled one, and the warning that says so."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

# So many warnings are enough: each costs a look at every known name.
MOST_WARNINGS = 20
# Nobody misspells a name this long, and comparing costs the product of the lengths.
_LONGEST = 200


class FilterWarning(NamedTuple):
    """A doubt about a filter that is no error: `position` counts characters from 0."""

    position: int
    sentence: str
    suggestion: str | None


def nearest(name: str, names: Iterable[str], most: int | None = None) -> str | None:
    """The name that is fewest edits away, at most `most` (by default a third of the length).

    An edit puts in, leaves out, replaces or swaps with its neighbour one character; another case
    is no edit at all. The earliest in alphabetical order goes first among equals.
    """
    if len(name) > _LONGEST:
        return None
    limit = max(1, len(name) // 3) if most is None else most
    wanted, best = name.casefold(), None
    for other in sorted(names):
        if abs(len(other) - len(name)) <= limit:
            edits = distance(wanted, other.casefold(), limit)
            if edits <= limit:
                best, limit = other, edits - 1
                if limit < 0:
                    break
    return best


def distance(one: str, other: str, limit: int) -> int:
    """How many edits lead from one to the other; some number above `limit` if more than that."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, its in enumerate(other, 1):
            edits = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != its))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and its == one[row - 2]
            current.append(min(edits, before[column - 2] + 1) if swapped else edits)
        if min(*current, *last) > limit:
            return limit + 1
        before, last = last, current
    return last[-1]


def doubt(path: str, position: int, known: Collection[str]) -> FilterWarning | None:
    """A warning if no attribute at this path was seen. A path above a known one is known too, and
    so is what lies in an attribute whose inside was never seen."""
    above = {path[:place] for place, letter in enumerate(path) if letter == "."}
    opened = {name for name in above if any(seen.startswith(f"{name}.") for seen in known)}
    if path in known or any(seen.startswith(f"{path}.") for seen in known):
        return None
    if any(name in known and name not in opened for name in above):
        return None
    suggestion = nearest(path, known)
    sentence = f"No attribute `{path}` was seen so far."
    if suggestion:
        sentence += f" Did you mean `{suggestion}`?"
    return FilterWarning(position, sentence, suggestion)
