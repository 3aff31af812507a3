"""The port every pulled source implements. An adapter touches no models; stages touch no boto3.

All methods may raise the errors of streams/errors.py, and no others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Protocol

from streams.change import Change
from streams.indexing import Indexed


class Origin(Enum):
    """Where a shard without a stored position is read from."""

    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True)
class Description:
    """What the source says of itself: the current ARN, what its records carry, the item's key."""

    arn: str
    view_type: str
    key_schema: list[list[str]]


@dataclass(frozen=True)
class ListedShard:
    """A shard as a listing names it; a closed one takes no new records."""

    name: str
    parent: str | None
    closed: bool


@dataclass(frozen=True)
class Page:
    """One read. `records` are raw bytes, in order; `iterator` is where to go on, None after
    the last record of a closed shard; `full` says that more is surely waiting."""

    records: Sequence[bytes]
    iterator: str | None
    full: bool


class Options(Protocol):
    """An adapter's checked options."""

    def as_dict(self) -> dict[str, str]: ...


class PulledSource(Protocol):
    @property
    def options(self) -> Options: ...

    @property
    def retention(self) -> timedelta:
        """How long an unread record is kept, at the least."""

    def describe(self) -> Description:
        """Ask the source what it is now; SourceRefused says what must be mended, and how."""

    def shards(self, arn: str) -> Iterator[list[ListedShard]]:
        """List the shards page by page; pages already given stay good if a later one fails."""

    def iterator(self, arn: str, shard: str, start: str | Origin) -> str:
        """A place to read from: after a sequence, or the origin."""

    def read(self, iterator: str) -> Page:
        """The records from there, at most 1,000."""

    def parse_all(self, records: Sequence[bytes], stream_id: int, indexed: Indexed) -> list[Change]:
        """A page's records as changes, with terms of what is indexed, fast; UnreadableRecord if
        one needs a look of its own."""

    def parse(self, raw: bytes, stream_id: int, indexed: Indexed) -> Change:
        """One record as a change; UnreadableRecord keeps the rest of the page going."""

    def sequence_of(self, raw: bytes) -> str:
        """The sequence of a record that cannot be parsed, "" if not even that can be found."""

    def readers(self, arn: str) -> list[str]:
        """Others that are known to read this stream, in words, as far as the source lists them;
        SourceError if it does not or may not tell."""

    def close(self) -> None:
        """Give back connections."""
