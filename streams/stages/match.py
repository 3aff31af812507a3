"""Match: each change of a batch is asked against all enabled rules, before the storing transaction;
the transaction then writes the matches, so a match is there if and only if its change is.

The rules are compiled once per process and again when one was saved, which every batch asks.
"""

from collections.abc import Sequence
from threading import Lock
from uuid import UUID

from django.db import connection

from streams.change import Change, moment
from streams.models import Stream
from streams.stages.rule_set import Match, RuleSet, compile_rules

_current = RuleSet(None, [])
_reading = Lock()


def find(stream: Stream, changes: Sequence[Change]) -> list[Match]:
    """The matches of a batch's changes by the rules that are saved now."""
    return current().find(stream, changes)


def current() -> RuleSet:
    """The enabled rules, read anew if any was changed."""
    global _current
    head = _head()
    if head != _current.head:
        with _reading:
            if head != _current.head:
                _current = RuleSet(head, compile_rules(_current))
    return _current


def write(batch_id: int, stream_id: int, matches: Sequence[Match]) -> None:
    """Write the matches of a batch, in its transaction. Those of rules that were deleted or
    disabled meanwhile are left out, and so is what was seen before."""
    if not matches:
        return
    versions = _hold(sorted({match.rule_id for match in matches}))
    kept = [match for match in matches if match.rule_id in versions and not match.seen]
    # What was seen by an earlier version of the rule says nothing to the new one.
    seen = [m for m in matches if m.seen and versions.get(m.rule_id) == m.rule_version]
    kept += _first_seen(batch_id, stream_id, seen)
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(
            """COPY streams_match (rule_id, rule_version, part, batch_id, ordinal, stream_id,
                                   item, occurred_at, "group", seen) FROM STDIN"""
        ) as to,
    ):
        for m in kept:
            at = moment(m.change.occurred)
            place = (m.rule_id, m.rule_version, m.part, batch_id, m.ordinal, stream_id)
            to.write_row((*place, UUID(bytes=m.change.item), at, m.group, m.seen))


def _head() -> object:
    """Another one after each change of any rule. The number alone would be the same again in a
    database that was restored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, xmin::text FROM streams_rulehead WHERE id = 1")
        return cursor.fetchone()


def _hold(rule_ids: Sequence[int]) -> dict[int, int]:
    """The versions of those rules that are still enabled; none can be deleted before our commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, version FROM streams_rule WHERE id = ANY(%s) AND enabled
               ORDER BY id FOR KEY SHARE""",
            [list(rule_ids)],
        )
        return dict(cursor.fetchall())


def _first_seen(batch_id: int, stream_id: int, matches: Sequence[Match]) -> list[Match]:
    """The matches whose sighting is new, each thing once, and its sighting stored."""
    first: dict[tuple[int, str], Match] = {}
    for match in matches:
        first.setdefault((match.rule_id, match.seen), match)
    if not first:
        return []
    # Sorted, so that two batches with the same things wait for each other, and never in a ring.
    rows = [first[key] for key in sorted(first)]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO streams_sighting (rule_id, stream_id, what, first_at, change)
               SELECT rule, %s, what, first_at, change
               FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[])
                    AS s(rule, what, first_at, change)
               ON CONFLICT DO NOTHING RETURNING rule_id, what""",
            [
                stream_id,
                [m.rule_id for m in rows],
                [m.seen for m in rows],
                [moment(m.change.occurred) for m in rows],
                [f"{batch_id}-{m.ordinal}" for m in rows],
            ],
        )
        new = set(cursor.fetchall())
    # Found there already, so another transaction has stored them.
    _current.note_known(
        (m.rule_id, m.rule_version, stream_id, m.seen) for key, m in first.items() if key not in new
    )
    return [match for key, match in first.items() if key in new]
