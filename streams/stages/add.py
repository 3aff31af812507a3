"""Adding and changing streams: everything is checked with the source before it is saved."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from streams.errors import SourceError, SourceRefused
from streams.indexing import next_day
from streams.models import Edit, Stream
from streams.sources.base import Description, Origin, PulledSource
from streams.sources.registry import open_source
from streams.stages.discover import discover
from streams.stages.report import report_error
from streams.when import parse_moment

# Every list and the live feed ask each change about them.
_MOST_IGNORED, _LONGEST_NAME = 100, 255


def add_stream(
    name: str,
    source: str,
    options: Mapping[str, Any],
    start: str,
    who: str,
    keep_days: int | None = None,
    indexed: list[str] | None = None,
    ignored: Sequence[str] = (),
) -> Stream:
    """Check and save a new stream, and list its shards.

    `start` is latest, trim-horizon or a time; `keep_days` None keeps the changes for ever;
    `indexed` are the attributes whose values search finds by an index, None those that look like
    ids; changes of `ignored` attributes alone are noise (noise.py). SourceError says in words what
    must be mended; nothing is saved then.
    """
    now = datetime.now(UTC)
    kind, start_at = parse_start(start, now)
    stream = Stream(name=name, source=source, start=kind, start_at=start_at, keep_days=keep_days)
    stream.indexed_attributes, stream.ignored_fields = indexed, check_ignored(ignored)
    adapter = open_source(source, options)
    try:
        stream.options = dict(adapter.options.as_dict())
        _validate(stream)
        description = check(adapter)
        stream.arn, stream.view_type = description.arn, description.view_type
        stream.key_schema = description.key_schema
        with transaction.atomic():
            stream.save()
            added = {"options": stream.options, "start": start, "keep_days": keep_days}
            added |= {"indexed_attributes": indexed, "ignored_fields": stream.ignored_fields}
            record_edit(who, stream, {field: [None, value] for field, value in added.items()})
        _first_discovery(stream, adapter)
    finally:
        adapter.close()
    return stream


def change_options(stream: Stream, options: Mapping[str, Any], who: str) -> None:
    """Check and save other options of a stream; its history and positions stay."""
    adapter = open_source(stream.source, options)
    try:
        check(adapter)
        before, after = stream.options, dict(adapter.options.as_dict())
    finally:
        adapter.close()
    with transaction.atomic():
        stream.options = after
        # Listed at once, because another table or endpoint has another ARN.
        stream.discover_after = None
        stream.save(update_fields=["options", "discover_after"])
        record_edit(who, stream, {"options": [before, after]})


def change_keep_days(stream: Stream, keep_days: int | None, who: str) -> None:
    """Keep the stream's changes for so many days, None for ever; beat drops what is older.

    Raises SourceRefused if the number is not allowed.
    """
    before, stream.keep_days = stream.keep_days, keep_days
    _validate(stream)
    with transaction.atomic():
        stream.save(update_fields=["keep_days"])
        record_edit(who, stream, {"keep_days": [before, keep_days]})


def change_indexed(stream: Stream, names: list[str] | None, who: str) -> None:
    """Index the values of other attributes, None for those that look like ids, in the changes of
    the next day (UTC) and after; earlier ones are searched one by one."""
    before = stream.indexed_attributes
    with transaction.atomic():
        stream.indexed_attributes, stream.indexed_since = names, next_day(timezone.now())
        stream.save(update_fields=["indexed_attributes", "indexed_since"])
        record_edit(who, stream, {"indexed_attributes": [before, names]})


def parse_indexed(text: str) -> list[str] | None:
    """The names a person wrote, separated by commas; "" is None, "-" is no name."""
    if text.strip() in ("", "-"):
        return [] if text.strip() else None
    return parse_names(text)


def change_ignored(stream: Stream, names: Sequence[str], who: str) -> None:
    """Call a MODIFY of nothing but these attributes noise, for the changes that are stored already
    too: nothing is stored otherwise, it is only left out of lists at first.

    Raises SourceRefused if there are too many, or one is too long.
    """
    before, after = stream.ignored_fields, check_ignored(names)
    if before == after:
        return
    with transaction.atomic():
        stream.ignored_fields = after
        stream.save(update_fields=["ignored_fields"])
        record_edit(who, stream, {"ignored_fields": [before, after]})


def check_ignored(names: Sequence[str]) -> list[str]:
    """The names in order, each once; SourceRefused says what is wrong with them."""
    found = sorted(set(names) - {""})
    if len(found) > _MOST_IGNORED or any(len(name) > _LONGEST_NAME for name in found):
        raise SourceRefused(
            f"A stream can ignore {_MOST_IGNORED} fields of {_LONGEST_NAME} characters at most.",
            "Name fewer; for more, hide changes by a filter such as changed:status.",
            kind="options",
        )
    return found


def parse_names(text: str) -> list[str]:
    """The names a person wrote, separated by commas."""
    return sorted({name.strip() for name in text.split(",")} - {""})


def pause(stream: Stream, who: str) -> None:
    """Stop reading; the source keeps the changes for its retention (DynamoDB: 24 hours)."""
    _set_paused(stream, timezone.now(), who)


def resume(stream: Stream, who: str) -> None:
    """Go on reading where it was."""
    _set_paused(stream, None, who)


def _set_paused(stream: Stream, paused_at: datetime | None, who: str) -> None:
    with transaction.atomic():
        before = stream.paused_at.isoformat() if stream.paused_at else None
        stream.paused_at, stream.paused_by = paused_at, who if paused_at else ""
        stream.save(update_fields=["paused_at", "paused_by"])
        after = paused_at.isoformat() if paused_at else None
        record_edit(who, stream, {"paused_at": [before, after]})


def record_edit(who: str, stream: Stream, fields: Mapping[str, list[Any]]) -> None:
    Edit.objects.create(who=who, what=f"stream {stream.name}", fields=dict(fields))


def parse_start(text: str, now: datetime) -> tuple[str, datetime | None]:
    """The kind of start and its moment; SourceRefused says how a start is written."""
    if text == Stream.Start.TRIM_HORIZON:
        return Stream.Start.TRIM_HORIZON, None
    if text in ("", Stream.Start.LATEST):
        return Stream.Start.LATEST, now
    try:
        moment = parse_moment(text, now)
    except ValueError as error:
        raise SourceRefused(
            f"The start {text!r} is not understood.",
            f"Use latest, trim-horizon or a time. {error}",
            kind="options",
        ) from error
    if moment > now:
        raise SourceRefused(
            f"The start {text} is in the future.",
            "Use latest, or a time that has passed.",
            kind="options",
        )
    return Stream.Start.TIME, moment


def check(adapter: PulledSource) -> Description:
    """Try every call that reading needs: each needs its own permission."""
    description = adapter.describe()
    first_page = next(adapter.shards(description.arn), [])
    for shard in first_page[-1:]:
        adapter.read(adapter.iterator(description.arn, shard.name, Origin.NEWEST))
    return description


def _validate(stream: Stream) -> None:
    try:
        stream.full_clean()
    except ValidationError as error:
        raise SourceRefused(
            " ".join(error.messages), "Choose another name or option.", kind="options"
        ) from error


def _first_discovery(stream: Stream, adapter: PulledSource) -> None:
    """The stream is saved by now: what fails here is a problem of the stream, tried again by
    beat, and loses nothing (stages/discover.py)."""
    try:
        discover(stream, adapter, starting=True)
    except SourceError as error:
        report_error(error, stream=stream)
