"""What goes into an evaluator and what comes out. Times are microseconds since 1970."""

from typing import Any, NamedTuple, Protocol

State = dict[str, Any]


class Hit(NamedTuple):
    """A match. `clock` is when its batch got its place in the feed, which never runs backwards;
    `occurred` is the change's own time; `ref` is the caller's, and JSON-able. `part` is 2 for what
    is to follow in a sequence; `seen` is what was seen for the first time."""

    clock: int
    occurred: int
    ref: Any
    part: int = 1
    seen: str = ""


class Opened(NamedTuple):
    """An alert opens. `refs` are the hits that made it, the oldest first; `count` is how many they
    were (of very many only the newest are in `refs`)."""

    at: int
    sentence: str
    refs: list[Any]
    count: int  # type: ignore[assignment]  # a tuple's method, which nobody calls here


class Grew(NamedTuple):
    """A hit that belongs to the open alert."""

    at: int
    ref: Any


class Suppressed(NamedTuple):
    """An alert would have opened, but for the cool-down."""

    at: int
    refs: list[Any]
    count: int  # type: ignore[assignment]  # a tuple's method, which nobody calls here


class Resolved(NamedTuple):
    """The open alert ends by itself. `why` is a sentence."""

    at: int
    why: str


Happening = Opened | Grew | Suppressed | Resolved


class Step(NamedTuple):
    """`state` is JSON-able, None if there is nothing to remember. `due` is when time alone changes
    something next, None for never."""

    state: State | None
    happenings: list[Happening]
    due: int | None


class Evaluator(Protocol):
    """Decides when matches become alerts, for one group of one rule at a time.

    It holds no state of its own: the group's state goes in and comes back, and the one that went
    in is used up. Hits of a group come in the feed's order, those of the same change with part 2
    first: a change does not follow itself.
    """

    def feed(self, state: State | None, hit: Hit) -> Step:
        """Let time pass up to the hit's clock, then take the hit."""

    def advance(self, state: State | None, clock: int) -> Step:
        """Let time pass: each deadline up to the clock, in order, each at its own moment."""

    def settle(self, state: State | None) -> State | None:
        """The state after somebody resolved the open alert by hand; its due time stays."""

    def begin(self, clock: int) -> Step:
        """The state a rule begins with, for kinds that wait without any hit."""
