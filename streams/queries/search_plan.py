"""How a filter is searched for in one stream: whether its changes can match at all, and by which
index of a leaf.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection

from streams import partitions
from streams.change import OPERATION_CODE, OPERATIONS
from streams.indexing import key_expression
from streams.models import Stream
from streams.partitions import Leaf
from streams.queries.event import facts_of
from streams.queries.search_narrow import (
    CHANGED,
    ITEM,
    KEY,
    TERMS,
    KeyFacts,
    Narrow,
    key_range,
    narrowed,
)
from streams.rules.events.change_parts import StreamFacts
from streams.rules.filter import Filter
from streams.rules.filter_form import Clause

ONE_BY_ONE = "changes one by one"
# With more or-ed conditions than these, planning takes longer than reading.
_MOST_ARMS = 32
_ARRAYS = {
    ITEM: "c.item = ANY(%s::uuid[])",
    CHANGED: "c.changed && %s::text[]",
    TERMS: "c.terms && %s::int4[]",
}


class Condition(NamedTuple):
    """A leaf's rows that may match, in SQL ("" for all of them). `indexed`: an index finds them;
    `how` says by which, in words."""

    sql: str
    given: tuple[Any, ...]
    indexed: bool
    how: str


class Plan(NamedTuple):
    """A filter in one stream. `ways` are or-ed, each an and of what indexes can tell; `rest` is
    what else SQL can tell, without an index."""

    stream: Stream
    facts: StreamFacts
    leaves: Sequence[Leaf]
    ways: tuple[tuple[Narrow, ...], ...]
    rest: tuple[str, tuple[Any, ...]]
    key: str
    keyed: frozenset[Leaf]

    def condition(self, leaf: Leaf) -> Condition:
        """What to ask of a leaf's rows."""
        ways = [[n for n in way if self._usable(n, leaf)] for way in self.ways]
        if not all(ways) or len(ways) > _MOST_ARMS:
            return Condition("", (), False, ONE_BY_ONE)
        spelled = [[_spelled(narrow, self.key) for narrow in way] for way in ways]
        arms = [f"({' AND '.join(sql for sql, _ in way)})" for way in spelled]
        given = tuple(value for way in spelled for _, values in way for value in values)
        return Condition(f"({' OR '.join(arms)})", given, True, _how(ways))

    def _usable(self, narrow: Narrow, leaf: Leaf) -> bool:
        if narrow.by == TERMS:
            return all(self.stream.indexed.covers(name, leaf.from_at) for name in narrow.names)
        return narrow.by != KEY or leaf in self.keyed


def plan(filter_: Filter, stream: Stream) -> Plan | None:
    """The plan for a stream, None if no change of it can match."""
    facts = facts_of(stream)
    possible, key = _Possible(facts), _key(stream)
    ways: list[tuple[Narrow, ...]] = []
    kinds: set[_Kind] = set()
    for clause in filter_.form:
        given = possible.kinds(clause)
        way = narrowed(clause, key) if given else None
        if way is not None:
            ways.append(way)
            kinds |= given
    if not ways:
        return None
    leaves = partitions.leaves_of(stream.pk)
    expression = key_expression(stream.key_schema)
    keyed = any(narrow.by == KEY for way in ways for narrow in way) and bool(expression)
    return Plan(
        stream,
        facts,
        leaves,
        _merged(ways),
        _rest(kinds),
        f'({expression}) COLLATE "C"',
        _keyed(stream, leaves) if keyed else frozenset(),
    )


# What a clause says of the stream, the operation and the time to live, decided by the filter
# itself on events that have nothing else.


class _Kind(NamedTuple):
    operation: str
    ttl: bool


class _Possible:
    def __init__(self, facts: StreamFacts) -> None:
        constant = facts.event()
        self._events = {
            _Kind(operation, ttl): {
                **constant,
                "operation": operation,
                "eventName": operation,
                "ttl": ttl,
            }
            for operation in OPERATIONS
            for ttl in (False, True)
        }
        self._known = frozenset(next(iter(self._events.values())))
        self._decided: dict[Clause, frozenset[_Kind]] = {}

    def kinds(self, clause: Clause) -> frozenset[_Kind]:
        """The kinds of changes that can match the clause."""
        excluded = tuple(
            clauses
            for form in clause.excluded
            if (clauses := tuple(other for other in form if self._is_known(other)))
        )
        # What a clause says of these is mostly the same in all clauses of a filter.
        asked = Clause(
            tuple(field for field in clause.fields if field.path in self._known),
            excluded=excluded,
        )
        if asked not in self._decided:
            decide = Filter((asked,), "", "expression")
            self._decided[asked] = frozenset(
                kind for kind, event in self._events.items() if decide.matches(event)
            )
        return self._decided[asked]

    def _is_known(self, clause: Clause) -> bool:
        """True if nothing else decides the clause."""
        if clause.conditions or clause.excluded:
            return False
        return all(field.path in self._known for field in clause.fields)


def _rest(kinds: Iterable[_Kind]) -> tuple[str, tuple[Any, ...]]:
    kinds = set(kinds)
    operations = sorted({OPERATION_CODE[kind.operation] for kind in kinds})
    sql, given = [], []
    if len(operations) < len(OPERATIONS):
        sql.append('c.operation = ANY(%s::"char"[])')
        given.append(operations)
    if all(kind.ttl for kind in kinds):
        sql.append("c.user_identity IS NOT NULL")
    return " AND ".join(sql), tuple(given)


# Indexes


def _merged(clauses: Iterable[tuple[Narrow, ...]]) -> tuple[tuple[Narrow, ...], ...]:
    """The clauses with those joined that ask one index alone."""
    single: dict[str, Narrow] = {}
    several: dict[tuple[Narrow, ...], None] = {}
    for narrows in clauses:
        if len(narrows) == 1:
            (narrow,) = narrows
            known = single.get(narrow.by)
            single[narrow.by] = known.joined(narrow) if known else narrow
        else:
            several[narrows] = None
    return (*((narrow,) for narrow in single.values()), *several)


def _spelled(narrow: Narrow, key: str) -> tuple[str, list[Any]]:
    if narrow.by != KEY:
        return _ARRAYS[narrow.by], [sorted(narrow.values)]
    # "" stands for a key that is spelled in another way.
    sql, given = [f"{key} = ''"], []
    for beginning in sorted(narrow.values):
        first, beyond = key_range(beginning)
        sql.append(f"{key} >= %s" if beyond is None else f"({key} >= %s AND {key} < %s)")
        given += [first] if beyond is None else [first, beyond]
    return f"({' OR '.join(sql)})", given


def _how(ways: Sequence[Sequence[Narrow]]) -> str:
    named: dict[str, None] = {}
    for narrow in (narrow for way in ways for narrow in way):
        named.update(dict.fromkeys(_words(narrow)))
    return f"by the index of {', '.join(named)}"


def _words(narrow: Narrow) -> list[str]:
    if narrow.by == TERMS:
        return sorted(narrow.names)
    return [{ITEM: "items", KEY: "keys", CHANGED: "changed attributes"}[narrow.by]]


def _keyed(stream: Stream, leaves: Sequence[Leaf]) -> frozenset[Leaf]:
    """The leaves whose key index is of today's partition key."""
    name, type_ = stream.key_schema[0]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class k ON k.oid = x.indexrelid
               WHERE i.inhparent = to_regclass(%s) AND k.relname = c.relname || '_key'
                   AND strpos(pg_get_indexdef(k.oid), %s) > 0""",
            [partitions.parent_of(stream.pk), f'"{name}":{{"{type_}":"'],
        )
        names = {row[0] for row in cursor.fetchall()}
    return frozenset(leaf for leaf in leaves if leaf.name in names)


def _key(stream: Stream) -> KeyFacts:
    """The stream's key. A new ARN may be that of a new table with another one, so what is stored of
    each earlier one is asked."""
    former: list[dict[str, dict[str, str]]] = []
    if stream.generation > 1:
        with connection.cursor() as cursor:
            cursor.execute(_KEY_OF_EACH, {"stream": stream.pk, "generation": stream.generation})
            former = [json.loads(row[0]) for row in cursor.fetchall()]
    known = {name: type_ for name, type_ in stream.key_schema}
    return KeyFacts(
        stream.pk,
        stream.key_schema,
        always=all({n: t for n, typed in key.items() for t in typed} == known for key in former),
        former=frozenset(name for key in former for name in key),
    )


# A key of each earlier generation of which something is stored: of the newest change's batch.
_KEY_OF_EACH = """
    SELECT k.keys FROM (
        SELECT DISTINCT ON (generation) id FROM streams_shard
        WHERE stream_id = %(stream)s AND generation < %(generation)s
            AND newest_change_at IS NOT NULL
        ORDER BY generation, newest_change_at DESC
    ) h
    CROSS JOIN LATERAL (
        SELECT id, oldest_change_at, newest_change_at FROM streams_batch
        WHERE shard_id = h.id AND oldest_change_at IS NOT NULL ORDER BY number DESC LIMIT 1
    ) b
    CROSS JOIN LATERAL (
        SELECT keys::text FROM streams_change c
        WHERE c.stream_id = %(stream)s AND c.batch_id = b.id
            AND c.occurred_at BETWEEN b.oldest_change_at AND b.newest_change_at LIMIT 1
    ) k
"""
