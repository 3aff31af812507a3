"""The viewers' filters: each change is decided once for all of them, when the hub reads it."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from streams.models import Stream
from streams.queries.event import event_of, facts_of
from streams.queries.feed import Cursor, StoredChange
from streams.rules import EventError, Filter, Matcher
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import StreamFacts

# A filter's text is what it is known by: viewers with the same text share it.
Passed = frozenset[str]
NONE: Passed = frozenset()


class _Narrowed(NamedTuple):
    """What is left of the filters for one stream's changes."""

    matcher: Matcher[str]
    events: ChangeEvents


class Deciding:
    """Some filters, asked about stored changes. Used in the reader's thread."""

    def __init__(self, filters: dict[str, Filter]) -> None:
        self.texts = frozenset(filters)
        self._matcher = Matcher(filters)
        self._narrowed: dict[StreamFacts, _Narrowed] = {}

    def passed(self, changes: Sequence[StoredChange]) -> list[Passed]:
        """For each change the filters that it passes; one query, for the streams."""
        if not self.texts or not changes:
            return [NONE] * len(changes)
        streams = Stream.objects.in_bulk({change.stream_id for change in changes})
        narrowed = {id_: self._for(facts_of(stream)) for id_, stream in streams.items()}
        return [self._decide(change, narrowed[change.stream_id]) for change in changes]

    def _for(self, facts: StreamFacts) -> _Narrowed:
        if facts not in self._narrowed:
            matcher = self._matcher.for_stream(facts)
            self._narrowed[facts] = _Narrowed(matcher, ChangeEvents(facts, matcher.wanted))
        return self._narrowed[facts]

    def _decide(self, change: StoredChange, narrowed: _Narrowed) -> Passed:
        if not len(narrowed.matcher):
            return NONE
        try:
            return frozenset(narrowed.matcher.match(event_of(change, narrowed.events)))
        except EventError:  # nested too deep: rather shown than hidden
            return self.texts


class Filters:
    """Who uses which filter, and from where on the ring's rows were decided by it."""

    def __init__(self) -> None:
        self._used: dict[Hashable, Filter] = {}
        self._since: dict[str, Cursor] = {}
        self.deciding = Deciding({})

    def use(self, viewer: Hashable, filter_: Filter | None) -> None:
        """From now on this filter is the viewer's; None for no filter."""
        if filter_:
            self._used[viewer] = filter_
        else:
            self._used.pop(viewer, None)
        filters = {filter_.text: filter_ for filter_ in self._used.values()}
        if self.deciding.texts != filters.keys():
            self.deciding = Deciding(filters)
            self._since = {text: at for text, at in self._since.items() if text in filters}

    def since(self, text: str) -> Cursor | None:
        """All rows of the ring after this place were decided by the filter; None if none were."""
        return self._since.get(text)

    def decided(self, deciding: Deciding, start: Cursor, *, anew: bool) -> None:
        """The ring goes on, or begins `anew`, at `start` with rows that these filters decided."""
        kept = {} if anew else self._since
        self._since = {
            text: kept.get(text, start) for text in deciding.texts if text in self.deciding.texts
        }
