"""Cursors as they come from outside, and the place just before a change."""

from streams.queries.feed import Cursor

# What the store's columns can hold; a larger one would be the database's error, not the caller's.
_MOST = Cursor(2**63 - 1, 2**31 - 1)


def parse(text: str) -> Cursor:
    """The cursor of its text; ValueError says what a cursor looks like."""
    cursor = Cursor.parse(text)
    if cursor.position > _MOST.position or cursor.ordinal > _MOST.ordinal:
        raise ValueError(f"{text!r} is not a cursor of this feed")
    return cursor


def before(cursor: Cursor) -> Cursor:
    """The last place before the change that has this cursor."""
    if cursor.ordinal > 0:
        return Cursor(cursor.position, cursor.ordinal - 1)
    return Cursor(cursor.position - 1, _MOST.ordinal)
