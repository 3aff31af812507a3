"""Why one stored change satisfies a rule, or does not."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from streams.alerting.definition import Definition, FirstSeen
from streams.alerting.grouping import group_of, seen_in
from streams.models import Stream
from streams.queries.change import find
from streams.queries.event import event_of, facts_of
from streams.queries.rows import StoredChange
from streams.rules.deciding.explain import Explanation
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import Wanted


class Explained(NamedTuple):
    """`parts` has each condition, true or false, with the values found, by the part of the rule: 1,
    and 2 for what is to follow in a sequence. `seen` is what a first-seen rule would look for."""

    change: StoredChange
    parts: Mapping[int, Explanation]
    group: str
    seen: Sequence[str]


def explain_change(definition: Definition, change_id: str) -> Explained | None:
    """None if there is no such change; EventError if it is nested too deep to be decided."""
    change = find(change_id)
    if change is None:
        return None
    facts = facts_of(Stream.objects.get(pk=change.stream_id))
    parts = {
        part: filter_.explain(event_of(change, ChangeEvents(facts, Wanted.of([filter_.form]))))
        for part, filter_ in definition.filters().items()
    }
    first_seen = isinstance(definition.params, FirstSeen)
    seen = seen_in(definition, change) if first_seen else []
    return Explained(change, parts, group_of(definition.group_by, change.stream, change), seen)
