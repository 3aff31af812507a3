"""Which wildcards are too complex for a pattern, as EventBridge decides; expressions may have any.

A prefix of a wildcard is what of it has been matched so far. event-ruler's measure is the most
prefixes of one field's wildcards that one value can match at the same time: "*:*:a" has "*", "*:",
"*:*" and "*:*:" at the end of "x::". As there, prefixes are counted byte by byte, in the quotes
that JSON has around a value, and an `anything-but` counts the beginning that its wildcards share,
up to their first star, and their end once.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from streams.rules.operators import wildcard_pieces

# event-ruler's own figure for a single rule. EventBridge is known to take 9 and to refuse 11.
MOST_PREFIXES = 10
# Sets of prefixes that are looked at for one pattern; what needs more counts as too complex. Each
# star may double the sets, but common wildcards have fewer of them than characters.
MOST_SETS = 20_000

_STAR = -1
# The wildcards of one match expression: of `wildcard` one, of `anything-but` one or more.
Group = Sequence[str]


class Complexity:
    """Of one pattern, so that many fields do not take longer than one may."""

    def __init__(self) -> None:
        self._left = MOST_SETS
        self._simple: set[tuple[tuple[str, ...], ...]] = set()

    def first_too_complex(self, groups: Sequence[Group]) -> tuple[int, int] | None:
        """The first wildcard of a field that goes too far: its group, and its place in the group.

        None if all wildcards of the field together are simple enough.
        """
        asked = tuple(map(tuple, groups))
        if asked in self._simple or _most_thinkable(groups) <= MOST_PREFIXES:
            return None
        left = self._left
        sets = _count_sets(groups, left)
        if sets is not None:
            self._left -= sets
            self._simple.add(asked)
            return None
        places = [(nth, place) for nth, group in enumerate(groups) for place in range(len(group))]

        def goes_too_far(last: tuple[int, int]) -> bool:
            nth, place = last
            return _count_sets([*groups[:nth], groups[nth][: place + 1]], left) is None

        # Few wildcards go a long way, and looking at many takes long.
        end = 1
        while end < len(places) and not goes_too_far(places[end - 1]):
            end *= 2
        last = min(end, len(places)) - 1
        return places[bisect_left(places, True, hi=last, key=goes_too_far)]


def _most_thinkable(groups: Sequence[Group]) -> int:
    """No more prefixes are matched at a time: those that end in no star end in the same byte.

    Most wildcards are known to be simple by this alone.
    """
    tokens = Counter(token for group in groups for text in group for token in _tokens(text))
    stars = tokens.pop(_STAR, 0)
    return stars + max(tokens.values())


def _count_sets(groups: Sequence[Group], most: int) -> int | None:
    """How many sets of prefixes some value matches; None if one is too large, or if there are
    too many to see."""
    graph = _Prefixes()
    for group in dict.fromkeys(map(tuple, groups)):
        graph.add(group)
    pending = [frozenset(graph.starts)]
    seen = set(pending)
    while pending:
        for following in graph.following(pending.pop()):
            if len(following) > MOST_PREFIXES:
                return None
            if following not in seen:
                seen.add(following)
                pending.append(following)
        if len(seen) > most:
            return None
    return len(seen)


class _Prefixes:
    """The prefixes of all wildcards of a field, as numbers, and which byte leads to which."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self._next: list[dict[int, set[int]]] = []
        # The prefix with a star more, which is matched as soon as this one is.
        self._starred: dict[int, int] = {}
        self._ends_in_star: set[int] = set()

    def add(self, group: Iterable[str]) -> None:
        start, end = self._new(), self._new()
        self.starts.append(start)
        shared: dict[tuple[int, int], int] = {}
        for text in dict.fromkeys(group):
            prefix, is_shared = start, True
            *tokens, quote = _tokens(text)
            for token in tokens:
                longer = shared.get((prefix, token)) if is_shared else None
                if longer is None:
                    longer = self._new()
                    self._join(prefix, token, longer)
                    if is_shared:
                        shared[prefix, token] = longer
                is_shared = is_shared and token != _STAR
                prefix = longer
            self._join(prefix, quote, end)

    def following(self, matched: frozenset[int]) -> Iterator[frozenset[int]]:
        """The prefixes that a further byte leaves matched, for each byte that adds one.

        A byte that adds none leaves fewer, so it cannot lead to more.
        """
        stay = self._ends_in_star & matched
        reached: dict[int, set[int]] = {}
        for prefix in matched:
            for byte, longer in self._next[prefix].items():
                reached.setdefault(byte, set(stay)).update(longer)
        for prefixes in reached.values():
            starred = {self._starred[each] for each in prefixes if each in self._starred}
            yield frozenset(prefixes | starred)

    def _new(self) -> int:
        self._next.append({})
        return len(self._next) - 1

    def _join(self, prefix: int, token: int, longer: int) -> None:
        if token == _STAR:
            self._starred[prefix] = longer
            self._ends_in_star.add(longer)
        else:
            self._next[prefix].setdefault(token, set()).add(longer)


def _tokens(text: str) -> list[int]:
    """The bytes of a wildcard, in quotes, and its stars."""
    first, *others = (piece.encode(errors="surrogatepass") for piece in wildcard_pieces(text))
    tokens = [*b'"', *first]
    for piece in others:
        tokens += [_STAR, *piece]
    return [*tokens, *b'"']
