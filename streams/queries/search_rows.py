"""The rows of a leaf that may match, in the order of time.

If an index says which they are and they are few, they are read at once. If they are many, or no
index tells, the leaf is read in slices of time, each cut off after so many rows.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from streams.change import microseconds
from streams.partitions import Leaf
from streams.queries.search_place import Place, Stretch
from streams.queries.search_plan import Condition
from streams.queries.search_statement import rows

# So many rows that an index names are read and sorted at once.
_FEW = 5_000
# What a row takes in memory beside its images, in bytes.
_ROW_BYTES = 1_024
# A statement that takes longer is given up, and a shorter slice tried.
_MOST_SECONDS = 2.0


class Row(NamedTuple):
    """A row that may match, without its images. `tid` is where it is in its leaf, `at` when it
    happened in microseconds since 1970, `weight` what it takes in memory, roughly."""

    tid: str
    at: int
    batch: int
    ordinal: int
    weight: int
    operation: str
    keys: str
    changed: list[str] | None
    user_identity: str | None
    size: int
    sequence: str
    event_id: str

    @property
    def place(self) -> Place:
        return Place(self.at, self.batch, self.ordinal)


# Reading a time costs more in Python than all the rest of a row.
_COLUMNS = f"""c.ctid::text, (extract(epoch FROM c.occurred_at) * 1000000)::bigint, c.batch_id,
    c.ordinal,
    {_ROW_BYTES} + greatest(c.size, coalesce(pg_column_size(c.old), 0)
                                    + coalesce(pg_column_size(c.new), 0)),
    c.operation::text, c.keys::text, c.changed, c.user_identity::text, c.size, c.sequence,
    c.event_id"""


class Pace:
    """How large slices are: they grow while they are quick, from leaf to leaf."""

    _FEWEST_ROWS, _MOST_ROWS = 200, 5_000
    _SHORTEST, _LONGEST = 60_000_000, 7 * 86_400_000_000  # microseconds
    _QUICK, _SLOW = 0.05, 0.5  # seconds

    def __init__(self) -> None:
        self.rows, self.span = self._FEWEST_ROWS, self._SHORTEST

    @property
    def seconds(self) -> float:
        """How long a slice may take; a short one has to be endured."""
        return _MOST_SECONDS if self.span > self._SHORTEST else float("inf")

    def took(self, seconds: float, *, full: bool) -> None:
        if seconds > self._SLOW:
            self.span = max(self.span // 4, 1)
        elif seconds < self._QUICK:
            self.rows = min(self.rows * 4, self._MOST_ROWS)
            if not full:
                self.span = min(self.span * 4, self._LONGEST)

    def took_too_long(self) -> None:
        self.span = max(self.span // 8, 1)


class LeafRows:
    """The rows of one leaf that may match, within a stretch, the newest or the oldest first. `how`
    says in words by what they are found."""

    def __init__(
        self,
        leaf: Leaf,
        condition: Condition,
        rest: tuple[str, tuple[Any, ...]],
        newest: bool,
        pace: Pace,
    ) -> None:
        self.leaf, self._newest, self._pace = leaf, newest, pace
        self._condition, self._rest = condition, rest
        self._may_be_few = condition.indexed
        self._may_be_empty = True
        self.how = condition.how
        if not condition.indexed:
            self.how += f", {'newest' if newest else 'oldest'} first"

    def read(self, left: Stretch, deadline: float) -> tuple[list[Row], Place]:
        """The next rows of what is left, in order, and the place up to which these are all.

        That place is where it began if time did not suffice.
        """
        if self._may_be_few:
            self._may_be_few = False
            few = self._few(deadline)
            if few is not None:
                found = [row for row in few if row.place in left]
                found.sort(key=lambda row: row.place, reverse=self._newest)
                return found, self._end(left)
            self.how += " and of time"
        if self._may_be_empty:
            left = self._without_emptiness(left, deadline)
            if left.is_empty:
                return [], self._end(left)
        return self._slice(self._next(left), deadline)

    def _few(self, deadline: float) -> list[Row] | None:
        """All rows that an index names; None if they are many."""
        # Nothing is said of the time, so that Postgres has no choice but that index.
        found = rows(
            f"""SELECT {_COLUMNS} FROM (SELECT c.*, c.ctid FROM {self.leaf.name} c
                WHERE {self._condition.sql} LIMIT {_FEW + 1}) c""",
            self._condition.given,
            min(deadline - time.monotonic(), _MOST_SECONDS),
        )
        return None if found is None or len(found) > _FEW else list(map(Row._make, found))

    def _without_emptiness(self, left: Stretch, deadline: float) -> Stretch:
        """What is left, from the nearest row on."""
        nearest, lower, upper = "max" if self._newest else "min", *left
        found = rows(
            f"""SELECT {nearest}(c.occurred_at) FROM {self.leaf.name} c
                WHERE c.occurred_at BETWEEN %s AND %s""",
            [lower.moment, upper.moment],
            deadline - time.monotonic(),
        )
        if not found:
            return left
        ((at,),) = found
        if at is None:
            return Stretch(lower, lower) if self._newest else Stretch(upper, upper)
        if self._newest:
            return Stretch(lower, min(upper, Place(microseconds(at) + 1, 0, 0)))
        return Stretch(max(lower, Place(microseconds(at), 0, 0)), upper)

    def _end(self, stretch: Stretch) -> Place:
        return stretch.lower if self._newest else stretch.upper

    def _next(self, left: Stretch) -> Stretch:
        lower, upper = left
        if self._newest:
            return Stretch(max(lower, Place(upper.at - self._pace.span, 0, 0)), upper)
        return Stretch(lower, min(upper, Place(lower.at + self._pace.span, 0, 0)))

    def _slice(self, slice_: Stretch, deadline: float) -> tuple[list[Row], Place]:
        begin = slice_.upper if self._newest else slice_.lower
        limit, begun = self._pace.rows, time.monotonic()
        found = self._in_order(slice_, limit, min(deadline - begun, self._pace.seconds))
        if found is None:
            self._pace.took_too_long()
            return [], begin
        full, self._may_be_empty = len(found) == limit, not found
        self._pace.took(time.monotonic() - begun, full=full)
        return found, found[-1].place if full else self._end(slice_)

    def _in_order(self, stretch: Stretch, limit: int, seconds: float) -> list[Row] | None:
        order = "DESC" if self._newest else "ASC"
        also = [f"AND {sql}" for sql in (self._condition.sql, self._rest[0]) if sql]
        found = rows(
            f"""SELECT {_COLUMNS} FROM {self.leaf.name} c
                WHERE c.occurred_at BETWEEN %s AND %s
                    AND (c.occurred_at, c.batch_id, c.ordinal) > (%s, %s, %s)
                    AND (c.occurred_at, c.batch_id, c.ordinal) < (%s, %s, %s) {" ".join(also)}
                ORDER BY c.occurred_at {order}, c.batch_id {order}, c.ordinal {order}
                LIMIT {limit}""",
            [*_times(stretch), *self._condition.given, *self._rest[1]],
            seconds,
            # Without an index of what is asked for, that of time gives the rows in their order.
            bitmaps=self._condition.indexed,
        )
        return None if found is None else list(map(Row._make, found))


def images(
    leaf: Leaf, some: Sequence[Row], wanted: Sequence[str], seconds: float
) -> dict[tuple[int, int], tuple[str | None, str | None]] | None:
    """The old and new images of these rows, those of them that are wanted, by batch and ordinal.

    A row that has moved is left out. None if time did not suffice.
    """
    columns = ", ".join(f"c.{i}::text" if i in wanted else "NULL" for i in ("old", "new"))
    found = rows(
        f"SELECT c.batch_id, c.ordinal, {columns} FROM {leaf.name} c WHERE c.ctid = ANY(%s::tid[])",
        [[row.tid for row in some]],
        seconds,
    )
    return None if found is None else {row[:2]: row[2:] for row in found}


def _times(stretch: Stretch) -> list[Any]:
    lower, upper = stretch
    return [
        *(lower.moment, upper.moment),
        *(lower.moment, lower.batch, lower.ordinal),
        *(upper.moment, upper.batch, upper.ordinal),
    ]
