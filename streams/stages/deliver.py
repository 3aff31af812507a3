"""Deliver: send what is due, one after another to each destination, and to several side by side.

The row is the queue. A claim is committed before anything is sent, nothing is sent within a
transaction, and what came of it is recorded together with the try. So each delivery is sent at
least once, by one sender at a time, always with the same key: whoever dies while sending leaves it
to the one who finds the claim over.
"""

import logging
import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Now

from streams import locks
from streams.alerting.message import trial_message_of
from streams.alerting.message_values import one_line
from streams.destinations.base import MOST_SAID, DestinationError, Message, Unreachable
from streams.destinations.registry import open_destination
from streams.destinations.retry_schedule import pause_after
from streams.models import Attempt, Delivery, Destination
from streams.stages.outbox import origin

log = logging.getLogger(__name__)

# Longer than a try: 15 s over HTTP, 30 s by mail, and a name that resolves slowly.
CLAIM_SECONDS = 60
# So many destinations at once; most of a try is waiting.
SENDERS = 8
# A round ends after this long, so that a worker can be replaced calmly.
ROUND_SECONDS = 20.0
# How soon a running round finds what became due for another destination.
_LOOK_SECONDS = 0.2
_ORPHANED = "Whoever sent it ended before an answer came. It may have arrived."

State = Delivery.State


class Claim(NamedTuple):
    """A delivery that is ours until `until`. `orphaned`: somebody else's claim on it ran out."""

    delivery: Delivery
    until: datetime
    orphaned: bool


def deliver_due(seconds: float = ROUND_SECONDS) -> int:
    """Send what is due, and what becomes due meanwhile, until nothing is or the time is over; how
    many tries that were. None, at once, where another process does it."""
    with locks.alone(locks.DELIVERING) as alone:
        return _round(time.monotonic() + seconds) if alone else 0


def send_test(destination: Destination, who: str) -> Delivery:
    """Send a test message now, once, whether the destination is switched on or not. What came of
    it is the delivery's state and its one attempt."""
    end = Now() + timedelta(seconds=CLAIM_SECONDS)
    delivery = Delivery.objects.create(
        destination=destination,
        reason=Delivery.Reason.TEST,
        message=trial_message_of(destination.name, who, origin()),
        state=State.SENDING,
        tries=1,
        due_at=end,
        claimed_until=end,
    )
    delivery.refresh_from_db()
    assert delivery.claimed_until  # noqa: S101 - set above
    attempt(Claim(delivery, delivery.claimed_until, orphaned=False))
    delivery.refresh_from_db()
    return delivery


def _round(until: float) -> int:
    tries = 0
    running: dict[Future[tuple[int, bool]], int] = {}
    # Whose receiver did not answer is left in peace until the next round.
    resting: set[int] = set()
    with ThreadPoolExecutor(SENDERS, "deliver") as senders:
        while True:
            free = SENDERS - len(running) if time.monotonic() < until else 0
            for number in _due({*running.values(), *resting}, free):
                running[senders.submit(_send_to, number, until)] = number
            if not running:
                return tries
            ended, _ = wait(running, _LOOK_SECONDS, FIRST_COMPLETED)
            for future in ended:
                number = running.pop(future)
                count, answered = future.result()
                tries += count
                if not answered:
                    resting.add(number)


def _due(passed: Collection[int], most: int) -> list[int]:
    """Destinations for which something is due, but these."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT t.id FROM streams_destination t
               WHERE t.enabled AND t.id <> ALL(%s) AND EXISTS (
                   SELECT FROM streams_delivery d
                   WHERE d.destination_id = t.id AND d.state IN ('waiting', 'sending')
                     AND d.due_at <= (SELECT clock_timestamp()))
               ORDER BY t.id LIMIT %s""",
            [list(passed), most],
        )
        return [number for (number,) in cursor.fetchall()]


def _send_to(destination: int, until: float) -> tuple[int, bool]:
    """How many tries, and if the receiver answered to the last one."""
    tries = 0
    try:
        while time.monotonic() < until and (found := claim(destination)):
            tries += 1
            if not attempt(found):
                return tries, False
        return tries, True
    finally:
        connection.close()  # this thread's own


def claim(destination: int) -> Claim | None:
    """The delivery that has been due the longest and is nobody's. While it is being sent, it is
    due again when the claim ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH found AS (
                   SELECT id, state FROM streams_delivery
                   WHERE destination_id = %s AND state IN ('waiting', 'sending')
                     AND due_at <= (SELECT clock_timestamp())
                   ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
               ), ends AS (SELECT clock_timestamp() + make_interval(secs => %s) AS at)
               UPDATE streams_delivery d
               SET state = 'sending', tries = tries + 1, claimed_until = ends.at, due_at = ends.at
               FROM found, ends WHERE d.id = found.id
               RETURNING d.id, ends.at, found.state = 'sending'""",
            [destination, CLAIM_SECONDS],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    number, until, orphaned = row
    delivery = Delivery.objects.select_related("destination").get(pk=number)
    return Claim(delivery, until, orphaned)


def attempt(found: Claim) -> bool:
    """Try a claimed delivery once and record it; False if the receiver could not be reached."""
    delivery = found.delivery
    if found.orphaned:
        if _pause(delivery.reason, delivery.tries - 1) is None:
            _record(found, 0.0, _ORPHANED, None)
            return True
        _note(found, 0.0, _ORPHANED)
    begun = time.monotonic()
    try:
        adapter = open_destination(delivery.destination.kind, delivery.destination.options)
        said = adapter.send(_message(delivery))
    except Unreachable as error:
        pause = _pause(delivery.reason, delivery.tries, error.retry_after)
        _fail(found, time.monotonic() - begun, error, pause)
        return False
    except DestinationError as error:
        _fail(found, time.monotonic() - begun, error, None)
        return True
    _record(found, time.monotonic() - begun, said, succeeded=True)
    return True


def _message(delivery: Delivery) -> Message:
    said = delivery.message
    return Message(
        key=str(delivery.key),
        reason=delivery.reason,
        at=delivery.created_at,
        subject=said["subject"],
        text=said["text"],
        html=said.get("html", ""),
        facts=said["facts"],
    )


def _pause(reason: str, tries: int, asked: float | None = None) -> float | None:
    """Seconds until the next try; None for none. Somebody waits for a test's answer."""
    return None if reason == Delivery.Reason.TEST else pause_after(tries, asked)


def _fail(found: Claim, seconds: float, error: DestinationError, pause: float | None) -> None:
    name = found.delivery.destination.name
    log.warning("Delivery %s to %s failed: %s", found.delivery.pk, name, error.sentence)
    _record(found, seconds, f"{error.sentence} {error.fix}", pause)


def _record(
    found: Claim, seconds: float, said: str, pause: float | None = None, succeeded: bool = False
) -> None:
    """The try's row, and with it the delivery's state, as long as it is still ours."""
    if succeeded:
        changes = {"state": State.SENT, "sent_at": Now()}
    elif pause is None:
        changes = {"state": State.FAILED}
    else:
        changes = {"state": State.WAITING, "due_at": Now() + timedelta(seconds=pause)}
    with transaction.atomic():
        _note(found, seconds, said, succeeded)
        ours = Delivery.objects.filter(pk=found.delivery.pk, claimed_until=found.until)
        ours.update(claimed_until=None, **changes)


def _note(found: Claim, seconds: float, said: str, succeeded: bool = False) -> None:
    Attempt.objects.create(
        delivery=found.delivery,
        at=found.until - timedelta(seconds=CLAIM_SECONDS),
        seconds=seconds,
        succeeded=succeeded,
        response=one_line(said, MOST_SAID),
    )
