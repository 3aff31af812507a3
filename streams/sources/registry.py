"""Which kinds of sources there are. Adding one: a folder, a line here, a row in the README."""

from collections.abc import Callable, Mapping
from typing import Any

from streams.errors import SourceRefused
from streams.sources.base import PulledSource
from streams.sources.dynamodb.reader import DynamoDBSource

SOURCES: Mapping[str, Callable[[Mapping[str, Any]], PulledSource]] = {
    "dynamodb": DynamoDBSource.from_options,
}


def open_source(kind: str, options: Mapping[str, Any]) -> PulledSource:
    """The adapter for a stream's options; SourceRefused if the kind or an option is unknown."""
    if kind not in SOURCES:
        raise SourceRefused(
            f"There is no source kind {kind!r}.",
            f"Use one of: {', '.join(SOURCES)}.",
            kind="options",
        )
    return SOURCES[kind](options)
