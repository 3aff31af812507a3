"""A file that is sent while it is made, in constant memory."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

_AT_ONCE = 65_536


def streamed_file(
    pieces: Iterator[bytes], media: str, name: str, ending: str
) -> StreamingHttpResponse:
    """A download called `deltawatch-NAME-TIME.ENDING`."""
    response = StreamingHttpResponse(_in_turn(pieces), content_type=media)
    file = f"deltawatch-{name}-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.{ending}"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    response["Cache-Control"] = "no-store"
    # A proxy that collects the whole file first would need the memory that is spared here.
    response["X-Accel-Buffering"] = "no"
    return response


async def _in_turn(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each part is made when the one before is sent: Django would collect a plain iterator."""
    while part := await sync_to_async(_some)(pieces):
        yield part


def _some(pieces: Iterator[bytes]) -> bytes:
    """The next pieces, about 64 KB of them; empty at the end."""
    some, length = [], 0
    for piece in pieces:
        some.append(piece)
        length += len(piece)
        if length > _AT_ONCE:
            break
    return b"".join(some)
