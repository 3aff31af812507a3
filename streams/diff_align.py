"""Which elements of two sequences belong together: Myers' greedy algorithm, with a bound.

Its cost grows with the square of the number of edits only, so texts and lists that are nearly the
same cost nearly nothing. Plain Python.
"""

from collections.abc import Sequence

Pairs = list[tuple[int, int]]


def align(old: Sequence[str], new: Sequence[str], most: int) -> Pairs | None:
    """The places of a longest common subsequence, in order; None if it takes more than `most`
    edits. Swapped arguments give the same pairs, swapped."""
    if list(old) > list(new):
        turned = align(new, old, most)
        return None if turned is None else [(first, second) for second, first in turned]
    front = common(old, new)
    back = common(old[front:][::-1], new[front:][::-1])
    inner = _myers(old[front : len(old) - back], new[front : len(new) - back], most)
    if inner is None:
        return None
    begin = [(place, place) for place in range(front)]
    end = [(len(old) - place, len(new) - place) for place in range(back, 0, -1)]
    return [*begin, *((first + front, second + front) for first, second in inner), *end]


def closest(likeness: Sequence[Sequence[float]]) -> Pairs:
    """The pairs in order with the greatest sum of likeness; `likeness[i][j]` is that of the old
    element i and the new element j, and 0 makes no pair."""
    width = len(likeness[0])
    best = [[0.0] * (width + 1) for _ in range(len(likeness) + 1)]
    for row in range(len(likeness) - 1, -1, -1):
        for column in range(width - 1, -1, -1):
            alike = likeness[row][column]
            best[row][column] = max(
                alike + best[row + 1][column + 1] if alike else 0,
                best[row + 1][column],
                best[row][column + 1],
            )
    pairs: Pairs = []
    row, column = 0, 0
    while row < len(likeness) and column < width:
        if best[row][column] == best[row + 1][column]:
            row += 1
        elif best[row][column] == best[row][column + 1]:
            column += 1
        else:
            pairs.append((row, column))
            row, column = row + 1, column + 1
    return pairs


def common(old: Sequence[object], new: Sequence[object]) -> int:
    """How many elements both begin with."""
    for count, (first, second) in enumerate(zip(old, new, strict=False)):
        if first != second:
            return count
    return min(len(old), len(new))


def _myers(old: Sequence[str], new: Sequence[str], most: int) -> Pairs | None:
    """`reach[k]` is how far in `old` so many edits get on diagonal k, where k is the place in
    `old` less the place in `new`; `trail` keeps it for each number of edits."""
    reach, trail = {1: 0}, []
    for edits in range(min(most, len(old) + len(new)) + 1):
        trail.append(reach.copy())
        for diagonal in range(-edits, edits + 1, 2):
            down = _goes_down(reach, diagonal, edits)
            place = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            other = place - diagonal
            while place < len(old) and other < len(new) and old[place] == new[other]:
                place, other = place + 1, other + 1
            reach[diagonal] = place
            if place >= len(old) and other >= len(new):
                return _walk_back(trail, len(old), len(new))
    return None


def _walk_back(trail: list[dict[int, int]], place: int, other: int) -> Pairs:
    pairs: Pairs = []
    for edits in range(len(trail) - 1, -1, -1):
        reach, diagonal = trail[edits], place - other
        before = diagonal + 1 if _goes_down(reach, diagonal, edits) else diagonal - 1
        begin, other_begin = reach[before], reach[before] - before
        while place > begin and other > other_begin:
            place, other = place - 1, other - 1
            pairs.append((place, other))
        place, other = begin, other_begin
    return pairs[::-1]


def _goes_down(reach: dict[int, int], diagonal: int, edits: int) -> bool:
    """True if the best way to this diagonal takes an element of `new`, not one of `old`."""
    if diagonal in (-edits, edits):
        return diagonal == -edits
    return reach[diagonal - 1] < reach[diagonal + 1]
