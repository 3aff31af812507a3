"""What the stored history says of the time before a rule begins: the usual numbers of a rate, and
what was seen before."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from streams.alerting.definition import Definition, FirstSeen, Rate
from streams.alerting.grouping import seen_in
from streams.alerting.rate import WEEK
from streams.change import microseconds, moment
from streams.models import Stream
from streams.queries.feed_time import first_position_at
from streams.queries.matched import Found, Matched, Place, is_over, portions
from streams.queries.search_bins import oldest_change

# A change of a past window is stored at most so long after it, or is not in its number.
_LATE = timedelta(hours=1)
_WEEK = timedelta(microseconds=WEEK)


class Usual(NamedTuple):
    """The numbers of a rate's windows (counted since 1970) from `first` on. Windows that nobody
    will ask for may be 0. `back_to` is how far was looked, None for as far as was needed."""

    first: int
    counts: list[int]
    back_to: datetime | None


class Thing(NamedTuple):
    """Something that a first-seen rule has met in a stream."""

    stream_id: int
    what: str


def usual(
    definition: Definition,
    streams: Sequence[Stream],
    since: datetime,
    until: datetime,
    deadline: float | None = None,
) -> Usual:
    """What is needed to judge the windows from `since` until `until`, of changes that got their
    place in the feed before `since`. Past weeks that the deadline (of time.monotonic) leaves out
    count as not watched."""
    params = definition.params
    assert isinstance(params, Rate)  # noqa: S101 - no other kind asks
    window = params.window * 1_000_000
    begun, oldest = microseconds(since) // window, oldest_change(streams)
    first, counts = begun + 1, Counter[int]()
    back_to: datetime | None = None
    reading = Matched(definition.filters(), streams, ())
    beyond = first_position_at(since)
    for week in range(params.weeks + 1 if oldest else 0):
        low = moment(begun * window) - week * _WEEK
        high = until + timedelta(seconds=params.window) - week * _WEEK + _LATE
        place, end = first_position_at(low), min(beyond, first_position_at(high))
        for portion in portions(place, end - 1, streams):
            counts.update(found.change.occurred // window for found in reading.within(portion))
            if is_over(deadline):
                break
        if is_over(deadline):
            back_to = moment(first * window)
            break
        beyond, first = min(beyond, place), microseconds(low) // window
    if oldest is not None:
        first = max(first, microseconds(oldest) // window + 1)  # the first whole window
    return Usual(first, [counts[number] for number in range(first, begun + 1)], back_to)


def first_places(
    definition: Definition, streams: Sequence[Stream], last: int, *, most: int, deadline: float
) -> dict[Thing, Place]:
    """What was met up to feed position `last`, each with the first place where. Ends early with
    so many things, or at the deadline (of time.monotonic): the older history is not asked then."""
    reading = Matched(definition.filters(), streams, images_of(definition))
    places: dict[Thing, Place] = {}
    for portion in portions(1, last, streams):
        for found in reading.within(portion):
            keep_first(places, definition, found)
        if len(places) >= most or is_over(deadline):
            break
    return places


def keep_first(places: dict[Thing, Place], definition: Definition, found: Found) -> None:
    """Take a change's things, where this is the first place of them."""
    place = Place.of(found)
    for what in seen_in(definition, found.change):
        thing = Thing(found.stream.pk, what)
        known = places.get(thing)
        if known is None or place < known:
            places[thing] = place


def seen_before(
    definition: Definition,
    streams: Sequence[Stream],
    things: set[Thing],
    last: int,
    deadline: float | None,
) -> tuple[set[Thing], datetime | None]:
    """Which of these things were met up to feed position `last`; and back to when was looked, None
    for as far as was needed."""
    reading, left = Matched(definition.filters(), streams, images_of(definition)), set(things)
    for portion in portions(1, last, streams):
        if not left:
            break
        for found in reading.within(portion):
            left.difference_update(
                Thing(found.stream.pk, what) for what in seen_in(definition, found.change)
            )
        if left and portion.first > 1 and is_over(deadline):
            return things - left, moment(portion.batches[-1].clock)
    return things - left, None


def images_of(definition: Definition) -> set[str]:
    """What of a change its group and what it shows are made of."""
    wanted = {"keys" if path == "item" else path.partition(".")[0] for path in definition.group_by}
    if isinstance(definition.params, FirstSeen):
        what = definition.params.what
        wanted |= {"keys", "old", "new"} if what == "attributes" else {what.partition(".")[0]}
    return wanted & {"keys", "old", "new"}
