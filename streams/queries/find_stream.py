"""Finding a stream by the name somebody typed."""

import difflib

from streams.errors import UnknownStream
from streams.models import Stream


def find_stream(name: str) -> Stream:
    """The stream of this name; UnknownStream names the nearest ones."""
    stream = Stream.objects.filter(name=name).first()
    if stream:
        return stream
    names = list(Stream.objects.values_list("name", flat=True))
    near = difflib.get_close_matches(name, names, n=5, cutoff=0.4) or names[:10]
    hint = f"Did you mean: {', '.join(near)}?" if near else "No stream has been added yet."
    raise UnknownStream(f"There is no stream {name!r}. {hint}")
