"""The event of a stored change, as filters see it."""

from typing import Any

from streams.change import microseconds
from streams.models import Stream
from streams.queries.rows import StoredChange
from streams.rules.errors import EventError
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import StreamFacts, Wanted
from streams.rules.filter import Filter


def facts_of(stream: Stream) -> StreamFacts:
    options: dict[str, Any] = stream.options
    return StreamFacts.of(stream.name, stream.arn, stream.view_type, options.get("table", ""))


class Matching:
    """Decides a stream's stored changes by a filter. What cannot be decided, because it is nested
    too deep, passes: rather shown than hidden."""

    def __init__(self, stream: Stream, filter_: Filter) -> None:
        self._filter = filter_
        self._events = ChangeEvents(facts_of(stream), Wanted.of([filter_.form]))

    def __call__(self, change: StoredChange) -> bool:
        try:
            return self._filter.matches(event_of(change, self._events))
        except EventError:
            return True


def event_of(change: StoredChange, events: ChangeEvents) -> dict[str, Any]:
    """The change's event, with the parts that these events are made of."""
    return events.make(
        operation=change.operation,
        keys=change.keys,
        old=change.old,
        new=change.new,
        changed=change.changed,
        user_identity=change.user_identity,
        size=change.size,
        sequence=change.sequence,
        event_id=change.event_id,
        occurred=microseconds(change.occurred_at),
    )
