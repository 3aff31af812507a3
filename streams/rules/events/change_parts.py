"""The parts of a change's event: what its stream gives, and which of them filters ask for."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from streams.rules.filter_form import Form, paths_of

# An image's part of the plain shape, and of the record.
PLAIN_IMAGES = ("keys", "old", "new")
RECORD_IMAGES = ("dynamodb.Keys", "dynamodb.OldImage", "dynamodb.NewImage")
_ONE_LEAF = {
    *("table", "stream", "account", "region", "operation", "ttl", "changed", "size"),
    *("eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "eventSourceARN"),
    *("userIdentity", "dynamodb.SequenceNumber", "dynamodb.SizeBytes"),
    *("dynamodb.StreamViewType", "dynamodb.ApproximateCreationDateTime"),
}
_PARTS = {*PLAIN_IMAGES, *RECORD_IMAGES, *_ONE_LEAF}
_EVENT_SOURCE, _EVENT_VERSION = "aws:dynamodb", "1.1"


class StreamFacts(NamedTuple):
    """What is the same for all changes of a stream. The ARN is the current one: a change that was
    stored under an earlier ARN shows this one too."""

    name: str
    table: str
    account: str
    region: str
    arn: str
    view_type: str

    @classmethod
    def of(cls, name: str, arn: str, view_type: str, table: str = "") -> "StreamFacts":
        """Account, region and table from the ARN; "" for what it does not tell. A given table
        goes before the ARN's."""
        # arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2027-01-15T08:00:00.000
        parts = arn.split(":", 5)
        _, _, _, region, account, resource = parts if len(parts) == 6 else [""] * 6
        named = resource.split("/")
        return cls(name, table or "".join(named[1:2]), account, region, arn, view_type)

    def event(self) -> dict[str, str]:
        """The leaves that every change of the stream shares, by their paths."""
        return {
            "table": self.table,
            "stream": self.name,
            "account": self.account,
            "region": self.region,
            "eventVersion": _EVENT_VERSION,
            "eventSource": _EVENT_SOURCE,
            "awsRegion": self.region,
            "eventSourceARN": self.arn,
        }


class Wanted:
    """What filters ask of an event: part by part, and of images the attributes (None: all)."""

    def __init__(self, parts: Mapping[str, frozenset[str] | None]) -> None:
        self.parts = parts

    @classmethod
    def everything(cls) -> "Wanted":
        return cls(dict.fromkeys(_PARTS))

    @classmethod
    def of(cls, forms: Iterable[Form]) -> "Wanted":
        return cls.of_paths(path for form in forms for path in paths_of(form))

    @classmethod
    def of_paths(cls, paths: Iterable[str]) -> "Wanted":
        parts: dict[str, set[str] | None] = {}
        for path in set(paths):
            for part in _parts_of(path):
                below = path[len(part) + 1 :]
                # The path of an image itself asks for all of it.
                if part in _ONE_LEAF or len(path) <= len(part):
                    parts[part] = None
                elif (names := parts.setdefault(part, set())) is not None:
                    names.update(_beginnings(below))
        return cls({p: None if n is None else frozenset(n) for p, n in parts.items()})

    def __contains__(self, part: str) -> bool:
        return part in self.parts

    def __bool__(self) -> bool:
        return bool(self.parts)


def _parts_of(path: str) -> list[str]:
    """The parts a path lies in; those below it, if it is the path of several."""
    root, dot, rest = path.partition(".")
    if root in _PARTS:
        return [root]
    part = f"dynamodb.{rest.partition('.')[0]}"
    if root != "dynamodb":
        return []
    if not dot:
        return [part for part in _PARTS if part.startswith("dynamodb.")]
    return [part] if part in _PARTS else []


def _beginnings(path: str) -> Iterable[str]:
    """The attributes in which a path may lie: "a.b.c" in `a`, in `a.b` and in `a.b.c`."""
    place = path.find(".")
    while place >= 0:
        yield path[:place]
        place = path.find(".", place + 1)
    yield path
