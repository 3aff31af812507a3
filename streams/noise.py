"""What is noise: a MODIFY that touched nothing, or only fields that its stream ignores.

Noise is stored, proven and searchable like every change. It is only left out of lists at first, and
then the lists say how much they left out. Plain Python.
"""

from collections.abc import Collection

from streams.change import MODIFY


def is_noise(operation: str, changed: Collection[str] | None, ignored: Collection[str]) -> bool:
    """True if a change says nothing new to its readers.

    `changed` holds the names of the top-level attributes that differ, None where the stream does
    not say; then nothing is known, and so nothing is noise.
    """
    return operation == MODIFY and changed is not None and all(name in ignored for name in changed)
