"""What the viewers ask of each change: if it passes their filters, and their columns' previews.

Each change is decided once for all of them, when the hub reads it.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from dashboard.feed.columns import Columns, Previews
from dashboard.feed.selection import Selection
from streams.queries.event import event_of
from streams.queries.feed import Cursor, StoredChange
from streams.rules import EventError, Filter, Matcher
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import StreamFacts

# A filter's text is what it is known by: viewers with the same text share it.
Passed = frozenset[str]
NONE: Passed = frozenset()
# Changes that pass the same filters share one set: with hundreds of filters a set has kilobytes,
# and the ring holds 20,000 changes.
_MOST_MET = 2_000


class _Narrowed(NamedTuple):
    """What is left of the filters for one stream's changes."""

    matcher: Matcher[str]
    events: ChangeEvents


class Deciding:
    """Some filters and sets of columns, asked about stored changes. Used in the reader's thread,
    where it is also compiled: two hundred filters take that long."""

    def __init__(
        self, filters: Mapping[str, Filter] | None = None, columns: Iterable[Columns] = ()
    ) -> None:
        self._filters = dict(filters or {})
        self.texts = frozenset(self._filters)
        self.columns = frozenset(columns)
        self._previews = Previews(self.columns)
        self._matcher: Matcher[str] | None = None
        self._narrowed: dict[StreamFacts, _Narrowed] = {}
        self._met: dict[Passed, Passed] = {}

    @classmethod
    def of(cls, selections: Collection[Selection]) -> "Deciding":
        return cls(
            {one.text: one.filter for one in selections if one.filter},
            {one.columns for one in selections if one.columns},
        )

    def passed(
        self, changes: Sequence[StoredChange], streams: Mapping[int, StreamFacts]
    ) -> list[Passed]:
        """For each change the filters that it passes."""
        if not self.texts or not changes:
            return [NONE] * len(changes)
        if self._matcher is None:
            self._matcher = Matcher(self._filters)
        return [
            self._decide(change, self._for(self._matcher, streams[change.stream_id]))
            for change in changes
        ]

    def cells(self, change: StoredChange) -> dict[Columns, msgspec.Raw]:
        """The previews of each set of columns."""
        return self._previews.of(change)

    def _for(self, matcher: Matcher[str], facts: StreamFacts) -> _Narrowed:
        found = self._narrowed.get(facts)
        if found is None:
            narrowed = matcher.for_stream(facts)
            found = _Narrowed(narrowed, ChangeEvents(facts, narrowed.wanted))
            self._narrowed[facts] = found
        return found

    def _decide(self, change: StoredChange, narrowed: _Narrowed) -> Passed:
        if not len(narrowed.matcher):
            return NONE
        try:
            passed = frozenset(narrowed.matcher.match(event_of(change, narrowed.events)))
        except EventError:  # nested too deep: rather shown than hidden
            return self.texts
        if len(self._met) >= _MOST_MET:
            self._met.clear()
        return self._met.setdefault(passed, passed)


class Filters:
    """Who asks what, and from where on the ring's rows have the answers."""

    def __init__(self) -> None:
        self._used: dict[Hashable, Selection] = {}
        self._since: dict[str | Columns, Cursor] = {}
        self._deciding: Deciding | None = None

    def use(self, viewer: Hashable, selection: Selection | None) -> None:
        """From now on this is what the viewer asks; None for nothing."""
        if selection and (selection.filter or selection.columns):
            self._used[viewer] = selection
        elif self._used.pop(viewer, None) is None:
            return
        self._deciding = None

    @property
    def deciding(self) -> Deciding:
        """All that is asked now. Made anew when it is needed, not for each of many viewers that
        come or go at once."""
        if self._deciding is None:
            self._deciding = Deciding.of(self._used.values())
        return self._deciding

    def since(self, asked: str | Columns) -> Cursor | None:
        """All rows of the ring after this place were asked this, a filter's text or a set of
        columns; None if none were."""
        return self._since.get(asked)

    def decided(self, deciding: Deciding, start: Cursor, *, anew: bool) -> None:
        """The ring goes on, or begins `anew`, at `start` with rows that were asked this."""
        kept, now = {} if anew else self._since, self.deciding
        self._since = {
            asked: kept.get(asked, start)
            for asked in deciding.texts | deciding.columns
            if asked in now.texts or asked in now.columns
        }
