"""What rules remember of their groups, read and written at once in one transaction."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import orjson
from django.db import connection

from streams.alerting.evaluate import Happening, State, Step
from streams.change import moment

Key = tuple[int, str]


class RuleStates:
    def __init__(self, keys: Collection[Key]) -> None:
        self._states: dict[Key, State] = _read(keys)
        self._due: dict[Key, datetime | None] = {}

    def step(self, key: Key, take: Callable[[State | None], Step]) -> list[Happening]:
        """Give the state to an evaluator and keep what it makes of it; what happens."""
        step = take(self._states.pop(key, None))
        if step.state is not None:
            self._states[key] = step.state
        self._due[key] = None if step.due is None else moment(step.due)
        return step.happenings

    def leave(self, rule_id: int) -> None:
        """Forget what was done for this rule: it stays as it was."""
        for key in [key for key in self._due if key[0] == rule_id]:
            del self._due[key]

    def write(self) -> None:
        kept = [key for key in self._due if key in self._states]
        gone = self._due.keys() - set(kept)
        with connection.cursor() as cursor:
            if kept:
                cursor.execute(
                    """INSERT INTO streams_rulestate (rule_id, "group", state, due_at)
                       SELECT * FROM unnest(%s::bigint[], %s::text[], %s::jsonb[],
                                            %s::timestamptz[])
                       ON CONFLICT (rule_id, "group") DO UPDATE
                       SET state = excluded.state, due_at = excluded.due_at""",
                    [
                        *_columns(kept),
                        [orjson.dumps(self._states[key]).decode() for key in kept],
                        [self._due[key] for key in kept],
                    ],
                )
            if gone:
                cursor.execute(
                    """DELETE FROM streams_rulestate s USING unnest(%s::bigint[], %s::text[])
                           AS gone(rule_id, of_group)
                       WHERE s.rule_id = gone.rule_id AND s."group" = gone.of_group""",
                    _columns(gone),
                )


def due_states(now: datetime, left_out: Collection[int], limit: int) -> list[Key]:
    """The rules and groups for which time alone changes something by now, the earliest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.rule_id, s."group" FROM streams_rulestate s
               JOIN streams_rule r ON r.id = s.rule_id
               WHERE s.due_at <= %s AND r.enabled AND r.ready_at IS NOT NULL
                 AND r.kind <> 'health' AND NOT s.rule_id = ANY(%s)
               ORDER BY s.due_at, s.rule_id, s."group" LIMIT %s""",
            [now, list(left_out), limit],
        )
        return [(rule, group) for rule, group in cursor.fetchall()]


def _read(keys: Collection[Key]) -> dict[Key, State]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.rule_id, s."group", s.state::text FROM streams_rulestate s
               JOIN unnest(%s::bigint[], %s::text[]) AS asked(rule_id, of_group)
                 ON s.rule_id = asked.rule_id AND s."group" = asked.of_group""",
            _columns(keys),
        )
        return {(rule, group): orjson.loads(state) for rule, group, state in cursor.fetchall()}


def _columns(keys: Iterable[Key]) -> list[list[int] | list[str]]:
    keys = list(keys)
    return [[rule for rule, _ in keys], [group for _, group in keys]]
