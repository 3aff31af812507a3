"""Which kinds of sources there are. Adding one: a folder, three lines here, a row in the README."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from streams.change import Change
from streams.errors import SourceRefused
from streams.indexing import Indexed
from streams.sources.base import PulledSource
from streams.sources.dynamodb import records
from streams.sources.dynamodb.reader import DynamoDBSource

SOURCES: Mapping[str, Callable[[Mapping[str, Any]], PulledSource]] = {
    "dynamodb": DynamoDBSource.from_options,
}
RETENTION: Mapping[str, timedelta] = {"dynamodb": DynamoDBSource.retention}
# A kept record is read again without asking its source, so no credentials are needed for it.
_PARSERS: Mapping[str, Callable[[bytes, int, Indexed], Change]] = {"dynamodb": records.parse}


def parse_record(kind: str, raw: bytes, stream_id: int, indexed: Indexed) -> Change:
    """A raw record of this kind of source as a change; UnreadableRecord says what is wrong."""
    return _PARSERS[kind](raw, stream_id, indexed)


def open_source(kind: str, options: Mapping[str, Any]) -> PulledSource:
    """The adapter for a stream's options; SourceRefused if the kind or an option is unknown."""
    if kind not in SOURCES:
        raise SourceRefused(
            f"There is no source kind {kind!r}.",
            f"Use one of: {', '.join(SOURCES)}.",
            kind="options",
        )
    return SOURCES[kind](options)
