"""What people do about a problem, and what the next sighting makes of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streams.models import Problem, ProblemEvent, Stream
from streams.models.problem import in_state
from streams.stages.handle import NotResolvable, acknowledge, ignore, reopen, resolve_by_hand
from streams.stages.report import SAME_AGAIN, report, resolve
from streams.stages.settle import skip
from streams.stages.store import Poison
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.storing import in_threads, store_in

pytestmark = pytest.mark.django_db(transaction=True)

STATES = ("new", "acknowledged", "regressed", "ignored", "resolved")


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def seen(stream: Stream) -> Problem:
    return Problem.objects.get(pk=report("a", "x", stream=stream))


def state(problem: Problem) -> str:
    """As the row tells it, and as the database finds it: never two answers."""
    problem.refresh_from_db()
    now = timezone.now()
    found = problem.state_at(now)
    one = Problem.objects.filter(pk=problem.pk)
    assert [name for name in STATES if one.filter(in_state(name, now)).exists()] == [found]
    open_ = one.filter(in_state("open", now)).exists()
    assert open_ == (found in ("new", "acknowledged", "regressed"))
    return found


def told(problem: Problem) -> list[tuple[str, str, str]]:
    events = ProblemEvent.objects.filter(problem=problem).order_by("id")
    return [(event.what, event.who, event.note) for event in events]


def long_gone(problem: Problem) -> None:
    gone = timezone.now() - SAME_AGAIN - timedelta(seconds=1)
    Problem.objects.filter(pk=problem.pk).update(resolved_at=gone)


def test_a_new_problem_is_new_however_often_it_is_seen(stream: Stream) -> None:
    problem = seen(stream)
    seen(stream)
    assert state(problem) == "new" and told(problem) == []


def test_an_acknowledged_problem_stays_so_while_it_goes_on(stream: Stream) -> None:
    problem = seen(stream)
    assert acknowledge([problem.pk], "alice", "on it") == 1
    seen(stream)
    assert state(problem) == "acknowledged"
    assert problem.assignee == "alice"
    assert told(problem) == [("acknowledged", "alice", "on it")]


def test_acknowledging_twice_changes_nothing(stream: Stream) -> None:
    problem = seen(stream)
    assert [acknowledge([problem.pk], "alice") for _ in range(2)] == [1, 0]
    assert acknowledge([problem.pk], "alice", assignee="bob") == 1
    assert told(problem)[1:] == [("acknowledged", "alice", "Assigned to bob.")]


def test_two_who_acknowledge_at_once_write_one_row(stream: Stream) -> None:
    problem = seen(stream)
    in_threads(*[lambda: acknowledge([problem.pk], "alice")] * 4)
    assert len(told(problem)) == 1


def test_a_problem_that_flickers_is_no_news(stream: Stream) -> None:
    """Throttling comes and goes every second."""
    problem = seen(stream)
    acknowledge([problem.pk], "alice")
    resolve(stream=stream)
    assert state(problem) == "resolved"
    seen(stream)
    assert state(problem) == "acknowledged"
    assert len(told(problem)) == 1


def test_a_problem_that_was_gone_for_long_has_regressed(stream: Stream) -> None:
    problem = seen(stream)
    acknowledge([problem.pk], "alice")
    long_gone(problem)
    problem.refresh_from_db()
    gone = problem.resolved_at
    seen(stream)
    assert state(problem) == "regressed"
    assert [what for what, _, _ in told(problem)] == ["acknowledged", "resolved", "regressed"]
    assert ProblemEvent.objects.get(what="resolved").at == gone
    assert problem.events.get(what="regressed").at == problem.regressed_at
    seen(stream)
    assert len(told(problem)) == 3


def test_a_problem_resolved_by_hand_has_regressed_at_once(stream: Stream) -> None:
    problem = seen(stream)
    assert resolve_by_hand([problem.pk], "alice", "mended") == 1
    assert state(problem) == "resolved"
    seen(stream)
    assert state(problem) == "regressed" and problem.resolved_by == ""
    assert told(problem) == [("resolved", "alice", "mended"), ("regressed", "", "")]
    acknowledge([problem.pk], "bob")
    assert state(problem) == "acknowledged"


def test_a_problem_is_ignored_until_a_moment(stream: Stream) -> None:
    problem = seen(stream)
    assert ignore([problem.pk], "alice", "known", span=timedelta(hours=1)) == 1
    seen(stream)
    resolve(stream=stream)
    seen(stream)
    assert state(problem) == "ignored"
    assert told(problem)[0][2].startswith("Until ") and told(problem)[0][2].endswith("UTC. known")
    Problem.objects.update(ignored_until=timezone.now())
    assert state(problem) == "new"
    seen(stream)
    assert state(problem) == "regressed" and problem.ignored_until is None


def test_a_problem_is_ignored_for_so_many_sightings(stream: Stream) -> None:
    problem = seen(stream)
    ignore([problem.pk], "alice", sightings=2)
    for expected in ("ignored", "ignored", "regressed"):
        seen(stream)
        assert state(problem) == expected
    assert told(problem)[0][2] == "For the next 2 sightings."


def test_every_deed_can_be_taken_back(stream: Stream) -> None:
    problem = seen(stream)
    deeds: list[Callable[[], int]] = [
        lambda: acknowledge([problem.pk], "alice"),
        lambda: ignore([problem.pk], "alice", span=timedelta(hours=1)),
        lambda: resolve_by_hand([problem.pk], "alice"),
    ]
    for deed in deeds:
        deed()
        assert reopen([problem.pk], "bob") == 1
        assert state(problem) == "new"
    assert reopen([problem.pk], "bob") == 0


def test_what_is_gone_by_itself_is_not_opened_again(stream: Stream) -> None:
    problem = seen(stream)
    resolve(stream=stream)
    assert reopen([problem.pk], "bob") == 0
    assert (acknowledge([problem.pk], "bob"), resolve_by_hand([problem.pk], "bob")) == (0, 0)
    assert ignore([problem.pk], "bob", sightings=1) == 0
    assert told(problem) == []


def test_records_that_wait_keep_their_problem_open(stream: Stream) -> None:
    shard = make_shard(stream)
    store_in(shard, poison=[Poison("1".zfill(21), b"{}", "no such operation")])
    problem = Problem.objects.get()
    with pytest.raises(NotResolvable, match="retried or skipped"):
        resolve_by_hand([problem.pk], "alice")
    skip(problem.records.get(), "alice", "a test")
    assert state(problem) == "resolved"
    assert told(problem) == [("resolved", "alice", "Its last record was stored or skipped.")]


def test_a_report_is_one_statement(stream: Stream) -> None:
    problem = seen(stream)
    resolve_by_hand([problem.pk], "alice")
    with CaptureQueriesContext(connection) as queries:
        seen_id = report("a", "x", stream=stream)
    assert seen_id == problem.pk and len(queries) == 1
