"""The tasks that rules and alerts need: safe to run twice, and at rest when a service is away."""

from typing import Any

import pytest
from django.db import OperationalError
from kombu.exceptions import OperationalError as BrokerError

from streams import tasks
from streams.models import Delivery, Shard
from streams.stages.publish import number_batches
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.alerting import alerts_of, make_destination, make_rule, matching

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the tasks put into the queues; nothing is sent."""
    sent: list[tuple[Any, ...]] = []
    for task in (tasks.poll, tasks.discover, tasks.deliver, tasks.make_ready):
        name = task.name
        monkeypatch.setattr(
            task, "apply_async", lambda args=(), *_, n=name, **__: sent.append((n, *args))
        )
    return sent


@pytest.fixture
def shard() -> Shard:
    make_destination("ops")
    return make_shard(make_stream())


def away(*_: Any, **__: Any) -> None:
    raise OperationalError("the database is away")


def test_evaluate_opens_once_when_run_twice_and_sends_for_who_delivers(
    shard: Shard, queued: list[tuple[Any, ...]]
) -> None:
    rule = make_rule(destinations=["ops"])
    matching(shard, rule)
    number_batches()
    tasks.evaluate()
    tasks.evaluate()
    assert len(alerts_of(rule)) == Delivery.objects.count() == 1
    assert queued == [("streams.deliver",)]


def test_without_a_broker_the_tick_finds_what_is_to_be_delivered(
    shard: Shard, monkeypatch: pytest.MonkeyPatch, queued: list[tuple[Any, ...]]
) -> None:
    rule = make_rule(destinations=["ops"])
    matching(shard, rule)
    number_batches()
    with monkeypatch.context() as patch:
        patch.setattr(tasks.deliver, "apply_async", _no_broker)
        tasks.evaluate()
    assert Delivery.objects.get().state == "waiting"
    tasks.tick()
    assert ("streams.deliver",) in queued


def test_the_tick_sees_to_rules_that_are_not_ready(queued: list[tuple[Any, ...]]) -> None:
    ready = make_rule()
    waiting = make_rule("first-seen")
    off = make_rule("first-seen", enabled=False)
    tasks.tick()
    asked = [call[1] for call in queued if call[0] == "streams.make_ready"]
    assert waiting.pk in asked and not {ready.pk, off.pk} & set(asked)


@pytest.mark.parametrize(
    ("task", "stage"),
    [(tasks.evaluate, "evaluate_waiting"), (tasks.deliver, "deliver_due")],
)
def test_they_rest_while_the_database_is_away(
    task: Any, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, stage, away)
    task()


def _no_broker(*_: Any, **__: Any) -> None:
    raise BrokerError("away")
