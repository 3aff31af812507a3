"""Destinations with how they do, and the log of deliveries, a page at a time, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django.db.models import Count

from streams.destinations.base import DestinationError
from streams.destinations.registry import kind_of, open_destination
from streams.destinations.retry_schedule import MOST_TRIES
from streams.models import Attempt, Delivery, Destination

STATES = {"": "All", "waiting": "Waiting", "sent": "Sent", "failed": "Failed"}
# Counting what waits stops here.
COUNTED = 1_000
MOST_DESTINATIONS = 500
_WAITING = (Delivery.State.WAITING, Delivery.State.SENDING)


@dataclass(frozen=True)
class Listed:
    """A destination: where it leads, how many rules send there, what waits (at most COUNTED), and
    its newest try."""

    destination: Destination
    kind: str
    target: str
    rules: int
    waiting: int
    last: Attempt | None

    @property
    def state(self) -> str:
        if not self.destination.enabled:
            return "off"
        if self.last is None:
            return "unused"
        return "works" if self.last.succeeded else "fails"


class Asked(NamedTuple):
    """Which deliveries: a state of STATES, a destination or all, and before which number."""

    state: str = ""
    destination: Destination | None = None
    before: int | None = None


class Page(NamedTuple):
    rows: list[Delivery]
    following: int | None


def destinations() -> list[Listed]:
    """All of them, by name."""
    found = list(
        Destination.objects.annotate(rule_count=Count("rules", distinct=True))[:MOST_DESTINATIONS]
    )
    numbers = [destination.pk for destination in found]
    waiting, last = _waiting(numbers), _last(numbers)
    return [
        Listed(
            destination,
            title_of(destination.kind),
            target_of(destination),
            getattr(destination, "rule_count", 0),
            waiting.get(destination.pk, 0),
            last.get(destination.pk),
        )
        for destination in found
    ]


def target_of(destination: Destination) -> str:
    """Where it leads, without its secrets; what is wrong, if its options cannot work."""
    try:
        return open_destination(destination.kind, destination.options).target()
    except DestinationError as error:
        return error.sentence


def title_of(kind: str) -> str:
    try:
        return kind_of(kind).title
    except DestinationError:
        return kind


def page(asked: Asked, limit: int) -> Page:
    """With each delivery its destination, its tries and its alerts."""
    found = Delivery.objects.all()
    if asked.destination:
        found = found.filter(destination=asked.destination)
    if asked.state:
        states = _WAITING if asked.state == "waiting" else (asked.state,)
        found = found.filter(state__in=states)
    if asked.before is not None:
        found = found.filter(pk__lt=asked.before)
    found = found.select_related("destination").prefetch_related("attempts", "alerts")
    rows = list(found.defer("alerts__sample").order_by("-pk")[: limit + 1])
    return Page(rows[:limit], rows[limit - 1].pk if len(rows) > limit else None)


def last_test(destination: Destination) -> Delivery | None:
    """The newest test message, with its one try."""
    tests = destination.deliveries.filter(reason=Delivery.Reason.TEST)
    return tests.prefetch_related("attempts").order_by("-pk").first()


def tries_left(delivery: Delivery) -> int:
    return max(0, MOST_TRIES - delivery.tries)


def _waiting(numbers: Iterable[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT t.id, count(d.id) FROM unnest(%s::bigint[]) t(id), LATERAL (
                   SELECT id FROM streams_delivery
                   WHERE destination_id = t.id AND state IN ('waiting', 'sending') LIMIT %s) d
               GROUP BY t.id""",
            [list(numbers), COUNTED],
        )
        return dict(cursor.fetchall())


def _last(numbers: Iterable[int]) -> dict[int, Attempt]:
    """Each one's newest try, among those of its newest hundred deliveries."""
    found = Attempt.objects.raw(
        """SELECT a.*, t.id AS destination FROM unnest(%s::bigint[]) t(id), LATERAL (
               SELECT a.* FROM streams_attempt a WHERE a.delivery_id IN (
                   SELECT id FROM streams_delivery WHERE destination_id = t.id
                   ORDER BY id DESC LIMIT 100)
               ORDER BY a.id DESC LIMIT 1) a""",
        [list(numbers)],
    )
    return {attempt.destination: attempt for attempt in found}  # type: ignore[attr-defined]
