"""What the reader knows of the streams. It reads it anew every few seconds, not for every page."""

from collections.abc import Iterable, Mapping
from time import monotonic

from streams.models import Stream
from streams.noise import is_noise
from streams.queries.event import facts_of
from streams.queries.feed import StoredChange
from streams.rules.events.change_parts import StreamFacts

_FRESH_SECONDS = 3.0


class Known:
    """The facts by a stream's id. Filled in the reader's thread; others may look at `names` and
    `ignoring`, which are replaced as a whole."""

    def __init__(self) -> None:
        self.facts: Mapping[int, StreamFacts] = {}
        self.names: Mapping[int, str] = {}
        # The streams of which some changes are noise.
        self.ignoring: frozenset[int] = frozenset()
        self._ignored: Mapping[int, frozenset[str]] = {}
        self._read_at = -_FRESH_SECONDS

    def refresh(self, needed: Iterable[int] = ()) -> None:
        """Read them if they are old, or if one that is needed is new; one query."""
        old = monotonic() - self._read_at >= _FRESH_SECONDS
        if not old and all(stream in self.facts for stream in needed):
            return
        streams = list(Stream.objects.all())
        self.facts = {stream.pk: facts_of(stream) for stream in streams}
        self.names = {stream.pk: stream.name for stream in streams}
        self._ignored = {stream.pk: frozenset(stream.ignored_fields) for stream in streams}
        self.ignoring = frozenset(id_ for id_, ignored in self._ignored.items() if ignored)
        self._read_at = monotonic()

    def is_noise(self, change: StoredChange) -> bool:
        return is_noise(change.operation, change.changed, self._ignored[change.stream_id])
