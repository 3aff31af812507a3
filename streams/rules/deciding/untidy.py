"""Matching where the simple walk of evaluate.py does not do: doubled keys, dotted keys, absence.

Absence inside an array means what it means to event-ruler. It takes the fields in the order of
their names; the first leaf taken from inside an element settles the element; absence that is asked
before then is absence from the whole array, and absence that is asked later is absence from that
element.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from streams.rules.json_text import Pairs


@dataclass(slots=True)
class Wanted:
    """A field as seen from somewhere on its path: the names that are left to go."""

    rest: tuple[str, ...]
    accepts: Callable[[Any], bool]
    may_be_absent: bool

    def below(self, steps: int) -> "Wanted":
        return Wanted(self.rest[steps:], self.accepts, self.may_be_absent)

    def present(self) -> "Wanted":
        return Wanted(self.rest, self.accepts, may_be_absent=False) if self.may_be_absent else self


# The value of a key, and what is wanted below it, each with its place in the list it came from.
_Occurrence = tuple[Any, list[tuple[int, Wanted]]]


def holds_untidily(wanted: Sequence[Wanted], value: Any) -> bool:
    """True if the value has all that is wanted; `wanted` is in the order of the names."""
    if isinstance(value, (dict, Pairs)):
        return _object_holds(wanted, value)
    if isinstance(value, list):
        return _array_holds(wanted, value)
    return all(each.may_be_absent if each.rest else each.accepts(value) for each in wanted)


def _array_holds(wanted: Sequence[Wanted], array: list[Any]) -> bool:
    scalars, elements = _split(array)
    direct = [not each.rest and any(map(each.accepts, scalars)) for each in wanted]
    for first, each in enumerate(wanted):
        # `each` is to be the first that lies inside an element: those before it hold without.
        inside = [each.present()]
        for later in range(first + 1, len(wanted)):
            if not direct[later]:
                is_there = bool(scalars) and not wanted[later].rest
                inside.append(wanted[later].present() if is_there else wanted[later])
        if any(holds_untidily(inside, element) for element in elements):
            return True
        if not direct[first] and not (each.may_be_absent and not _has_leaf(array, each.rest)):
            return False
    return True


def _split(array: list[Any]) -> tuple[list[Any], list[Any]]:
    scalars: list[Any] = []
    elements: list[Any] = []
    for each in array:
        (elements if isinstance(each, (dict, list, Pairs)) else scalars).append(each)
    return scalars, elements


def leaves_at(value: Any, rest: tuple[str, ...], below: bool = False) -> Iterator[Any]:
    """What stands at the path, through arrays and by every occurrence of a key; with `below` also
    what stands at all paths that go on from it."""
    if below and not rest and isinstance(value, (dict, Pairs)):
        for _, deeper in value.items() if isinstance(value, dict) else value:
            yield from leaves_at(deeper, rest, below)
    elif isinstance(value, (dict, Pairs)):
        for _, steps, deeper in _steps(rest, value):
            yield from leaves_at(deeper, rest[steps:], below)
    elif isinstance(value, list):
        for element in value:
            yield from leaves_at(element, rest, below)
    elif not rest:
        yield value


def _has_leaf(value: Any, rest: tuple[str, ...]) -> bool:
    return any(True for _ in leaves_at(value, rest))


def _steps(rest: tuple[str, ...], value: Any) -> Iterable[tuple[tuple[str, int], int, Any]]:
    """Every way on from an object: which occurrence of which key, how many names, the value."""
    for steps in range(1, len(rest) + 1):
        key = ".".join(rest[:steps])
        if isinstance(value, Pairs):
            for nth, (name, below) in enumerate(value):
                if name == key:
                    yield (key, nth), steps, below
        elif key in value:
            yield (key, 0), steps, value[key]


def _occurrences(
    wanted: Iterable[tuple[int, Wanted]], value: Any
) -> dict[tuple[str, int], _Occurrence]:
    found: dict[tuple[str, int], _Occurrence] = {}
    for index, each in wanted:
        for occurrence, steps, below in _steps(each.rest, value):
            found.setdefault(occurrence, (below, []))[1].append((index, each.below(steps)))
    return found


def _object_holds(wanted: Sequence[Wanted], value: Any) -> bool:
    found = _occurrences(enumerate(wanted), value)
    ways = [0] * len(wanted)
    for _, inside in found.values():
        for index, _ in inside:
            ways[index] += 1
    if any(not ways[index] and not each.may_be_absent for index, each in enumerate(wanted)):
        return False
    if max(ways, default=0) > 1:
        return _some_choice_holds(wanted, value)
    return all(
        holds_untidily([each for _, each in inside], below) for below, inside in found.values()
    )


def _some_choice_holds(wanted: Sequence[Wanted], value: Any) -> bool:
    """True if each wanted leaf is in one or the other occurrence of its key.

    An absent field must be absent from all of them. Costs grow with the combinations of fields
    that single elements satisfy, so with the filter, and only linearly with the event.
    """
    left = [
        (index, each.present())
        for index, each in enumerate(wanted)
        if not each.may_be_absent or _has_leaf(value, each.rest)
    ]
    return sum(1 << index for index, _ in left) in _combinations(left, value)


def _combinations(wanted: list[tuple[int, Wanted]], value: Any) -> set[int]:
    """The largest sets of wanted leaves, as bits, that are in the value together."""
    if isinstance(value, (dict, Pairs)):
        together = {0}
        for below, inside in _occurrences(wanted, value).values():
            further = _combinations(inside, below)
            together = _largest({one | other for one in together for other in further})
        return together
    if isinstance(value, list):
        scalars, elements = _split(value)
        direct = _bits(wanted, scalars)
        return _largest(
            {direct} | {direct | bits for each in elements for bits in _combinations(wanted, each)}
        )
    return {_bits(wanted, [value])}


def _bits(wanted: list[tuple[int, Wanted]], scalars: list[Any]) -> int:
    return sum(
        1 << index for index, each in wanted if not each.rest and any(map(each.accepts, scalars))
    )


def _largest(sets: set[int]) -> set[int]:
    """Those that are in no other one."""
    return {one for one in sets if not any(one != other and one & other == one for other in sets)}
