"""Problems: one row for each, counted, and resolved when the cause is gone."""

from collections.abc import Callable, Sequence

import pytest

from streams.errors import SourceUnavailable
from streams.models import Problem, Shard, Stream
from streams.sources import registry
from streams.stages.poll import Poller
from streams.stages.report import report, report_error, resolve
from streams.testing.factories import make_shard, make_stream
from streams.testing.scripted import ScriptedSource, make_record
from streams.tests.integration.storing import in_threads, stored_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def open_problems(stream: Stream) -> list[str]:
    found = Problem.objects.filter(stream=stream, resolved_at=None)
    return sorted(found.values_list("kind", flat=True))


def test_a_problem_is_one_row_however_often_it_is_seen(stream: Stream) -> None:
    first = report("throttled", "Too fast.", stream=stream)
    second = report("throttled", "Much too fast.", "Slow down.", stream=stream)
    problem = Problem.objects.get(stream=stream)
    assert first == second == problem.pk
    assert (problem.count, problem.sentence, problem.fix) == (2, "Much too fast.", "Slow down.")
    assert problem.first_seen < problem.last_seen


def test_kinds_streams_and_what_it_is_about_tell_problems_apart(stream: Stream) -> None:
    other = make_stream()
    ids = {
        report("a", "x", stream=stream),
        report("b", "x", stream=stream),
        report("a", "x", stream=stream, about="shard-1"),
        report("a", "x", stream=other),
        report("a", "x"),
    }
    assert len(ids) == 5


def test_an_error_brings_its_kind_and_its_fix(stream: Stream) -> None:
    report_error(SourceUnavailable("It is away.", "Wait."), stream=stream)
    problem = Problem.objects.get(stream=stream)
    assert (problem.kind, problem.sentence, problem.fix) == ("unreachable", "It is away.", "Wait.")


def test_a_problem_that_comes_back_is_open_again(stream: Stream) -> None:
    report("a", "x", stream=stream)
    assert resolve(stream=stream) == 1
    assert open_problems(stream) == []
    report("a", "x", stream=stream)
    assert open_problems(stream) == ["a"]
    assert Problem.objects.get(stream=stream).count == 2


def test_resolving_takes_only_what_it_names(stream: Stream) -> None:
    report("of-stream", "x", stream=stream)
    report("of-shard", "x", stream=stream, about="shard-1")
    report("of-shard", "x", stream=stream, about="shard-2")
    report("of-another", "x", stream=make_stream())
    assert resolve(stream=stream, about="shard-1") == 1
    assert resolve(stream=stream, about="") == 1
    assert resolve(stream=stream, kinds=["other"]) == 0
    assert resolve(stream=stream, kinds=["of-shard"]) == 1
    assert Problem.objects.get(resolved_at=None).kind == "of-another"


def test_many_may_meet_a_problem_at_once(stream: Stream) -> None:
    in_threads(*[lambda: report("a", "x", stream=stream)] * 8)
    assert Problem.objects.get(stream=stream).count == 8


# What polling reports and resolves


@pytest.fixture
def source(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> ScriptedSource:
    """The stream's source, with one record in one shard."""
    source = ScriptedSource(stream.arn)
    source.add("shard-1").records.append(make_record(1))
    make_shard(stream, "shard-1")
    monkeypatch.setitem(registry.SOURCES, "dynamodb", lambda options: source)
    return source


def poll_until(there: Callable[[Stream], Sequence[object]], stream: Stream) -> None:
    """One slice of polling, until there are changes or problems of the stream."""
    asked = iter(range(200))
    poller = Poller(lambda: bool(there(stream)) or next(asked, None) is None, lambda _: None)
    assert poller.run()


def test_an_error_of_a_shard_is_a_problem_until_it_is_read(
    stream: Stream, source: ScriptedSource
) -> None:
    source.faults["read"] = [SourceUnavailable("away")]
    poll_until(stored_in, stream)
    problem = Problem.objects.get(stream=stream)
    assert (problem.kind, problem.resolved_at is not None) == ("unreachable", True)


def test_a_problem_of_an_earlier_slice_is_resolved_by_a_good_read(
    stream: Stream, source: ScriptedSource
) -> None:
    source.down = SourceUnavailable("away")
    poll_until(open_problems, stream)
    source.down = None
    poll_until(stored_in, stream)
    assert open_problems(stream) == []


def test_a_slice_that_ends_gives_everything_back(stream: Stream, source: ScriptedSource) -> None:
    poll_until(stored_in, stream)
    shard = Shard.objects.get(stream=stream)
    assert (shard.lease_expires_at, shard.position) == (None, "1".zfill(21))
    assert shard.last_read_at
