"""Deliveries: sent once by one sender, tried again as planned, taken up after a crash."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections

from conftest import wait_for
from streams import locks
from streams.destinations import http
from streams.destinations.retry_schedule import MOST_TRIES, PAUSES, pause_after
from streams.models import Delivery, Destination
from streams.stages.deliver import CLAIM_SECONDS, attempt, claim, deliver_due, send_test
from streams.testing.receivers import HttpReceiver, http_receiver

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGE = {"subject": "s", "text": "t", "html": "", "facts": {"reason": "opened", "alerts": []}}


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], HttpReceiver]]:
    monkeypatch.setattr(http, "WHOLE_SECONDS", 2.0)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(http_receiver())


@pytest.fixture
def receiver(receivers: Callable[[], HttpReceiver]) -> HttpReceiver:
    return receivers()


@pytest.fixture
def ops(receiver: HttpReceiver) -> Destination:
    return led_to(receiver, "Ops")


def led_to(receiver: HttpReceiver, name: str, **fields: Any) -> Destination:
    return Destination.objects.create(
        name=name, kind="webhook", options=receiver.options(), **fields
    )


def queue(destination: Destination, count: int = 1, reason: str = "opened") -> list[Delivery]:
    made = [Delivery(destination=destination, reason=reason, message=MESSAGE) for _ in range(count)]
    return Delivery.objects.bulk_create(made)


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


def make_due() -> None:
    """Time passes until everything is due, a claim that was never given back included."""
    past = now() - timedelta(seconds=1)
    Delivery.objects.exclude(state__in=["sent", "failed"]).update(due_at=past)


def test_what_is_due_is_sent_once(ops: Destination, receiver: HttpReceiver) -> None:
    made = queue(ops, 3)
    assert deliver_due() == 3
    assert receiver.keys() == [str(delivery.key) for delivery in made]
    for delivery in Delivery.objects.all():
        assert (delivery.state, delivery.tries, delivery.claimed_until) == ("sent", 1, None)
        (only,) = delivery.attempts.all()
        assert only.succeeded and only.response == "200 take"
        assert delivery.sent_at and only.at <= delivery.sent_at
    assert deliver_due() == 0


def test_what_is_not_due_or_switched_off_waits(ops: Destination, receiver: HttpReceiver) -> None:
    later, _ = queue(ops)[0], queue(led_to(receiver, "Off", enabled=False))
    Delivery.objects.filter(pk=later.pk).update(due_at=now() + timedelta(hours=1))
    assert deliver_due() == 0
    assert receiver.keys() == []


def test_a_failed_try_is_planned_again_with_growing_pauses(
    ops: Destination, receiver: HttpReceiver
) -> None:
    receiver.way = "later"
    queue(ops)
    for tries in range(1, MOST_TRIES + 1):
        make_due()
        before = now()
        assert deliver_due() == 1
        delivery = Delivery.objects.get()
        assert delivery.tries == tries
        if tries < MOST_TRIES:
            assert delivery.state == "waiting"
            assert delivery.due_at >= before + timedelta(seconds=PAUSES[tries - 1])
    assert delivery.state == "failed"
    assert delivery.attempts.count() == MOST_TRIES
    assert delivery.attempts.all()[0].response == "It answered 503 later."
    assert len(set(receiver.keys())) == 1  # the key is the same on every try
    make_due()
    assert deliver_due() == 0


def test_the_pauses_grow_to_a_day_and_more() -> None:
    pauses = [pause_after(tries) for tries in range(1, MOST_TRIES)]
    assert pauses == sorted(pauses, key=lambda pause: pause or 0)
    assert 24 < sum(PAUSES) / 3600 < 30
    assert pause_after(MOST_TRIES) is None
    assert pause_after(1, 120.0) == 120.0 and pause_after(3, 1.0) == PAUSES[2]


def test_what_is_refused_is_not_tried_again(ops: Destination, receiver: HttpReceiver) -> None:
    receiver.way = "refuse"
    queue(ops)
    deliver_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries) == ("failed", 1)


def test_options_that_cannot_work_fail_with_the_reason(ops: Destination) -> None:
    Destination.objects.update(kind="pigeon")
    queue(ops)
    deliver_due()
    delivery = Delivery.objects.get()
    assert delivery.state == "failed"
    assert "Use one of: email, webhook." in delivery.attempts.get().response


def test_a_sender_holds_what_it_sends(ops: Destination) -> None:
    queue(ops, 2)
    first, second = claim(ops.pk), claim(ops.pk)
    assert first and second and first.delivery.pk != second.delivery.pk
    assert claim(ops.pk) is None
    assert first.until > now() + timedelta(seconds=CLAIM_SECONDS / 2)


def test_many_senders_never_send_one_delivery_twice(
    ops: Destination, receiver: HttpReceiver
) -> None:
    queue(ops, 60)
    begin = Barrier(4)

    def send() -> None:
        begin.wait()
        while found := claim(ops.pk):
            attempt(found)
        connections.close_all()

    senders = [Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(receiver.keys()) == len(set(receiver.keys())) == 60
    assert set(Delivery.objects.values_list("state", "tries")) == {("sent", 1)}


def test_one_process_delivers_at_a_time(ops: Destination, receiver: HttpReceiver) -> None:
    queue(ops)
    tried: list[int] = []

    def deliver() -> None:
        tried.append(deliver_due())
        connections.close_all()

    with locks.alone(locks.DELIVERING):
        other = Thread(target=deliver)
        other.start()
        other.join()
    assert tried == [0] and receiver.keys() == []
    assert deliver_due() == 1


def test_a_crashed_senders_delivery_is_taken_up_after_its_claim(
    ops: Destination, receiver: HttpReceiver
) -> None:
    (delivery,) = queue(ops)
    assert claim(ops.pk)  # and its process dies
    assert deliver_due() == 0
    make_due()
    assert deliver_due() == 1
    assert receiver.keys() == [str(delivery.key)]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("sent", 2)
    lost, taken = delivery.attempts.all()
    assert "It may have arrived" in lost.response and not lost.succeeded
    assert taken.succeeded


def test_a_delivery_that_kills_its_senders_is_given_up(
    ops: Destination, receiver: HttpReceiver
) -> None:
    queue(ops)
    for _ in range(MOST_TRIES):
        assert claim(ops.pk)
        make_due()
    deliver_due()
    assert Delivery.objects.get().state == "failed"
    assert receiver.keys() == []


def test_who_wakes_after_its_claim_changes_nothing(
    ops: Destination, receiver: HttpReceiver
) -> None:
    queue(ops)
    slow = claim(ops.pk)
    make_due()
    fast = claim(ops.pk)
    assert slow and fast and fast.orphaned
    receiver.way = "refuse"
    attempt(slow)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.claimed_until) == ("sending", fast.until)
    receiver.way = "take"
    attempt(fast)
    assert Delivery.objects.get().state == "sent"


def test_a_receiver_that_hangs_holds_up_nobody_else(
    ops: Destination, receivers: Callable[[], HttpReceiver]
) -> None:
    deaf = receivers()
    deaf.way = "hang"
    queue(led_to(deaf, "Deaf"), 5)

    def deliver() -> None:
        deliver_due()
        connections.close_all()

    round_ = Thread(target=deliver)
    round_.start()
    wait_for(deaf.keys, what="the first try")
    (late,) = queue(ops)
    wait_for(lambda: Delivery.objects.filter(pk=late.pk, state="sent").exists())
    assert len(deaf.keys()) == 1 and round_.is_alive()
    deaf.closing.set()
    round_.join()
    assert len(deaf.keys()) == 1  # who does not answer is left in peace until the next round


def test_a_test_is_sent_at_once_and_once(ops: Destination, receiver: HttpReceiver) -> None:
    Destination.objects.update(enabled=False)
    delivery = send_test(ops, "alice")
    assert delivery.state == "sent"
    assert delivery.attempts.get().response == "200 take"
    assert receiver.requests[0][1]["type"] == "test"
    assert "sent by alice" in receiver.requests[0][1]["text"]
    receiver.way = "later"
    failed = send_test(ops, "alice")
    assert failed.state == "failed"
    assert failed.attempts.get().response == "It answered 503 later."
    Destination.objects.update(enabled=True)
    make_due()
    assert deliver_due() == 0


def test_an_answer_may_hold_anything(
    ops: Destination, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.Answer, "text", property(lambda _: "a\x00b\ud800\nc"))
    queue(ops)
    deliver_due()
    assert Delivery.objects.get().attempts.get().response == "200 a b c"


def test_claiming_does_not_slow_down_with_what_waits(ops: Destination) -> None:
    """The plan reads the destination's part of the index, and no other row."""
    other = Destination.objects.create(name="Other", kind="webhook", options={})
    queue(other, 3_000)
    queue(ops, 5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE streams_delivery")
        cursor.execute(
            """EXPLAIN SELECT id, state FROM streams_delivery
               WHERE destination_id = %s AND state IN ('waiting', 'sending')
                 AND due_at <= (SELECT clock_timestamp())
               ORDER BY due_at, id LIMIT 1""",
            [other.pk],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "delivery_due" in plan and "Seq Scan" not in plan
