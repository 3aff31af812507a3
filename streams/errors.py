"""What can go wrong, by the only question that matters: what happens next?

Errors of boto3, HTTP and JSON never leave an adapter; they are turned into one of these.
"""


class DeltawatchError(Exception):
    """The base of all errors that carry a sentence for people."""


class SourceError(DeltawatchError):
    """The source did not do what was asked.

    `kind` is the problem's code, the text says what failed, and `fix` says in words what to do.
    """

    kind = "source-error"

    def __init__(self, sentence: str, fix: str = "", *, kind: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fix = fix
        self.kind = kind or self.kind


class SourceUnavailable(SourceError):
    """It may work when tried again: no connection, a time-out, a 5xx answer."""

    kind = "unreachable"


class Throttled(SourceUnavailable):
    """Too many calls for now."""

    kind = "throttled"


class SourceRefused(SourceError):
    """It will not work until somebody mends it: access denied, wrong region, table missing."""

    kind = "refused"


class IteratorExpired(SourceError):
    """The iterator is too old; a new one from the stored position loses nothing."""

    kind = "iterator-expired"


class PositionTrimmed(SourceError):
    """The records after the stored position are gone: a gap, and on from the oldest kept."""

    kind = "trimmed"


class ShardGone(SourceError):
    """The source does not know the shard (any more)."""

    kind = "shard-gone"


class UnreadableRecord(DeltawatchError):
    """One record cannot be parsed. Its raw bytes are kept and its shard goes on."""


class ReasonMissing(DeltawatchError):
    """An operator wants to lose a change and does not say why."""


class LeaseLost(DeltawatchError):
    """Another poller owns the shard now, so nothing may be stored for it here."""


class UnknownStream(DeltawatchError):
    """No stream has this name; the text names the nearest ones."""


class MalformedKey(DeltawatchError):
    """A key that names no item of the stream; the text says what it should look like."""
