"""The live feed's wire protocol: what browser and server say to each other, as JSON text.

A `sub` starts an epoch; frames of an older one are to be dropped. `batch` and `gap` are numbered
1, 2, 3… in an epoch, and each is acknowledged after it has been painted.

Every change of the chosen streams between two cursors is told of exactly once: as a row of a
batch, in a batch's `sampled`, in a gap's `count`, or in the `hidden` (by the filter) or `noise` (of
ignored fields) of the stats. So a client that keeps the last `to` can always go on without loss.

A follower gets at most a quarter of its `rows_per_second` each tick. If more passes than that, a
batch holds a fair sample of what lies between its `from` and `to`, in the order of the feed, and
`sampled` counts the rest. A longer backlog than BACKLOG_ROWS is not sent unasked: the server
answers a `sub`, a `resume` or a page seen again with a `choice` and waits; the client then sends a
`resume` in a new epoch from its cursor, with `skip` to have the backlog counted in a gap and to go
on with the newest. A `resume` with `skip` may come at any time, to leave out what is on its way.

All fields marked NotRequired are absent where they would say nothing (0, false, no columns).
"""

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict

import msgspec

# A row is an array; these are its places.
COLUMNS = (
    "cursor", "id", "received", "occurred", "stream", "operation", "key", "token", "fields",
    "more", "ttl",
)  # fmt: skip

TICK_SECONDS = 0.25
TICKS_A_SECOND = 4
# What a viewer may ask to be sent a second while following.
ROWS_PER_SECOND = (500, 2_000)
# A batch at the lower rate, and its size at most; at the higher one four times both.
BATCH_ROWS = 125
BATCH_BYTES = 128 * 1024
# Batches on the way to one browser that it has not painted yet.
CREDIT = 4
# A backlog up to this is sent in order; for a longer one the client is asked.
BACKLOG_ROWS = 5_000
# Columns that a viewer may choose, each a path as in new.status, old.address.city, keys.pk.
MOST_COLS = 8

RESTART, LOG_IN, NO_ACCESS, IDLE, TOO_MANY = 1012, 4401, 4403, 4408, 4429

# backlog: left out by `skip`. slow: the client did not acknowledge. rate: more was written than
# the server reads. collection: changes that were never read from the source.
Reason = Literal["backlog", "slow", "rate", "collection"]


class Summary(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A change as the feed shows it, in the order of COLUMNS; images are fetched by its id.

    `fields` holds up to three (name, old, new), each None where there is nothing to show, and
    `more` says how many are left out. With columns chosen by `cols`, a row has one more element at
    its end: an array of as many previews, each a text, or null where the change has no such value.
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
    """`limits`: `rows` a batch, `tick` in seconds, `backlog` in rows, `rows_per_second` in force
    (less than asked for while the server is late), `most_rows_per_second` that can be asked for."""

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
    # So many changes between "from" and "to" pass, and are not in `rows`.
    sampled: NotRequired[int]
    # As in stats, up to "to".
    hidden: NotRequired[int]
    noise: NotRequired[int]


class Stats(TypedDict):
    """Once a second (every five while the page is hidden), and the sign of life.

    `unseen` counts what waits, as far as it was asked about; `rate` is changes a second of the
    chosen streams, before the filter, and None while it is not known. `per_op` counts their
    changes of the last second by operation, and `per_stream` has the five busiest as [name, count];
    both are None while not known. Since the epoch began, `hidden` counts what the filter left out
    and `noise` what passed it and was left out as noise; `cursor` is how far everything was sent
    or counted. `rows_per_second` is the cap in force; `lag` is how late the server reads, in
    seconds; `late` says in a sentence that it does not read at all.
    """

    type: Literal["stats"]
    epoch: int
    unseen: int
    rate: float | None
    per_op: Mapping[str, int] | None
    per_stream: list[tuple[str, int]] | None
    hidden: int
    noise: int
    rows_per_second: int
    lag: float
    cursor: NotRequired[str]
    late: NotRequired[str]


class Gap(TypedDict):
    """Changes that are not listed, and where they can be seen.

    With `unasked` nobody asked the filter (or whether they are noise) about them: how many would
    have been shown is not known. A collection gap moves no cursor ("from" is "to"); its `count` is
    None and its `text` says what may be missing.
    """

    type: Literal["gap"]
    epoch: int
    n: int
    count: int | None
    operations: dict[str, int]
    reason: Reason
    url: str
    unasked: NotRequired[bool]
    text: NotRequired[str]
    hidden: NotRequired[int]
    noise: NotRequired[int]


class Choice(TypedDict):
    """More than BACKLOG_ROWS changes wait between "from" and "to": nothing but stats comes until
    the client resumes. `unasked` as in a gap. `search_url` finds them by their time, `range_url`
    lists exactly them."""

    type: Literal["choice"]
    epoch: int
    count: int
    operations: dict[str, int]
    search_url: str
    range_url: str
    unasked: NotRequired[bool]


class Problem(TypedDict):
    """An error refuses what the client sent. A notice is for the reader: `cap-lowered` while the
    server is late, `cap-restored` afterwards."""

    type: Literal["error", "notice"]
    code: str
    text: str


Message = Ready | Batch | Stats | Gap | Choice | Problem


def encode(message: Message, **cursors: str) -> str:
    """The message as text, with its cursors `from_` and `to`."""
    fields = {name.rstrip("_"): value for name, value in cursors.items()}
    return msgspec.json.encode({**message, **fields}).decode()


class Sub(msgspec.Struct, tag_field="type", tag="sub"):
    """Start over: these streams (None is all), after this cursor or from now on; of their changes
    those that pass the filter, an expression or an event pattern, and are not noise unless `noise`.
    `rows_per_second` is one of ROWS_PER_SECOND, `cols` has at most MOST_COLS paths."""

    epoch: int
    cursor: str = "now"
    streams: list[str] | None = None
    filter: str = ""
    rows_per_second: int = ROWS_PER_SECOND[0]
    noise: bool = False
    cols: list[str] = []


class Ack(msgspec.Struct, tag_field="type", tag="ack"):
    n: int


class Pause(msgspec.Struct, tag_field="type", tag="pause"):
    pass


class Resume(msgspec.Struct, tag_field="type", tag="resume"):
    """Go on after a pause or a choice, in a new epoch, so that frames still on the way are told
    apart. With `skip` the backlog becomes a gap, however short, and the newest follow."""

    epoch: int
    cursor: str
    skip: bool = False


class Visibility(msgspec.Struct, tag_field="type", tag="vis"):
    visible: bool


Request = Sub | Ack | Pause | Resume | Visibility

decode = msgspec.json.Decoder(Request).decode
