"""The live feed's wire protocol: what browser and server say to each other, as JSON text.

A `sub` starts an epoch; frames of an older one are to be dropped. `batch` and `gap` are numbered
1, 2, 3… in an epoch, and each is acknowledged after it has been painted. Everything between two
cursors is either in a batch or counted by a gap, so a client that keeps the last `to` can always
go on without loss.
"""

from typing import Literal, NotRequired, TypedDict

import msgspec

# A row is an array; these are its places.
COLUMNS = (
    "cursor", "id", "received", "occurred", "stream", "operation", "key", "token", "fields",
    "more", "ttl",
)  # fmt: skip

# While following: 500 rows a second, or 512 KB.
TICK_SECONDS = 0.25
BATCH_ROWS = 125
BATCH_BYTES = 128 * 1024
# Batches on the way to one browser that it has not painted yet.
CREDIT = 4
# A backlog up to this is sent in order; a longer one is counted, linked, and left out.
BACKLOG_ROWS = 5_000
# How far a follower may lag behind (4 s at the cap) before rows are left out and counted.
LAG_ROWS = 2_000

RESTART, LOG_IN, NO_ACCESS, IDLE, TOO_MANY = 1012, 4401, 4403, 4408, 4429

Reason = Literal["backlog", "slow", "rate"]


class Summary(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A change as the feed shows it, in the order of COLUMNS; images are fetched by its id.

    `fields` holds up to three (name, old, new), each None where there is nothing to show, and
    `more` says how many are left out.
    """

    cursor: str
    id: str
    received: str
    occurred: str
    stream: str
    operation: str
    key: str
    token: str
    fields: tuple[tuple[str, str | None, str | None], ...]
    more: int
    ttl: bool


class Ready(TypedDict):
    type: Literal["ready"]
    epoch: int
    columns: tuple[str, ...]
    limits: dict[str, float]
    server_time: str
    cursor: str


class Batch(TypedDict):
    type: Literal["batch"]
    epoch: int
    n: int
    # Its cursors, "from" and "to", are given to `encode`: one of them is a keyword of Python.
    rows: list[msgspec.Raw]
    # How many are still to come of a backlog; 0 while following.
    behind: int


class Stats(TypedDict):
    """Once a second, and the sign of life. `unseen` counts what is waiting; `rate` is None while
    it is not known for the chosen streams. With a filter, `hidden` counts what it left out
    since the epoch began, and `cursor` is how far everything was sent or hidden."""

    type: Literal["stats"]
    epoch: int
    unseen: int
    rate: float | None
    hidden: NotRequired[int]
    cursor: NotRequired[str]
    late: NotRequired[str]


class Gap(TypedDict):
    type: Literal["gap"]
    epoch: int
    n: int
    count: int
    operations: dict[str, int]
    reason: Reason
    url: str
    # True if the filter was not asked about these changes.
    unasked: NotRequired[bool]


class Problem(TypedDict):
    type: Literal["error", "notice"]
    code: str
    text: str


Message = Ready | Batch | Stats | Gap | Problem


def encode(message: Message, **cursors: str) -> str:
    """The message as text, with its cursors `from_` and `to`."""
    fields = {name.rstrip("_"): value for name, value in cursors.items()}
    return msgspec.json.encode({**message, **fields}).decode()


class Sub(msgspec.Struct, tag_field="type", tag="sub"):
    """Start over: these streams (None is all), after this cursor or from now on; of their changes
    those that pass the filter, an expression or an event pattern."""

    epoch: int
    cursor: str = "now"
    streams: list[str] | None = None
    filter: str = ""


class Ack(msgspec.Struct, tag_field="type", tag="ack"):
    n: int


class Pause(msgspec.Struct, tag_field="type", tag="pause"):
    pass


class Resume(msgspec.Struct, tag_field="type", tag="resume"):
    """Go on after a pause, in a new epoch, so that frames still on the way are told apart."""

    epoch: int
    cursor: str = "now"


class Visibility(msgspec.Struct, tag_field="type", tag="vis"):
    visible: bool


Request = Sub | Ack | Pause | Resume | Visibility

decode = msgspec.json.Decoder(Request).decode
