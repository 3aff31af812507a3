"""A fair sample of more rows than a viewer can be sent.

Removals come first, because they are the ones people regret. Then every stream gets a least share,
so that one hot stream cannot drown the others. Then come the newest.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from dashboard.feed.ring import Row
from streams.change import REMOVE

# What removals leave for the streams' shares, should both want more than there is.
_FOR_SHARES = 0.5
# Of what there is, for the least shares of all streams together.
_SHARES = 0.25


def sample(rows: Sequence[Row], most: int, most_bytes: int) -> list[Row]:
    """At most `most` of the rows, and of their bytes, in the order they came in; at least one."""
    chosen: set[int] = set()
    size = 0
    for place in _by_right(rows, most):
        if place in chosen:
            continue
        size += len(rows[place].data)
        if len(chosen) == most or (chosen and size > most_bytes):
            break
        chosen.add(place)
    return [rows[place] for place in sorted(chosen)]


def _by_right(rows: Sequence[Row], most: int) -> Iterator[int]:
    """Places of rows, those with most right to be seen first; some come twice."""
    removals: list[int] = []
    others: dict[int, list[int]] = {}
    for place in range(len(rows) - 1, -1, -1):
        row = rows[place]
        if row.operation == REMOVE:
            removals.append(place)
        else:
            others.setdefault(row.stream, []).append(place)
    share = max(1, int(most * _SHARES) // max(1, len(others)))
    # One of each stream, then the next of each: if there are more streams than room, the newest.
    shares = [
        places[number]
        for number in range(share)
        for places in others.values()
        if number < len(places)
    ]
    kept_free = min(len(shares), int(most * _FOR_SHARES))
    return chain(removals[: most - kept_free], shares, removals, range(len(rows) - 1, -1, -1))
