"""Too many readers on a shard: said in words, changes still stored, over by itself."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from streams import tasks
from streams.errors import SourceRefused, Throttled
from streams.models import Problem, Shard, Stream
from streams.queries.shards import shard_statuses
from streams.sources import registry
from streams.sources.base import Origin
from streams.sources.dynamodb.client import Client
from streams.sources.dynamodb.options import DynamoDBOptions
from streams.sources.dynamodb.reader import DynamoDBSource
from streams.stages.readers import name_readers
from streams.stages.report import report
from streams.stages.watch import watch
from streams.testing.elapse import let_pass
from streams.testing.factories import make_stream
from streams.testing.scripted import ScriptedSource
from streams.testing.simulated.exchange import Answer, Request
from streams.testing.simulated.server import serving
from streams.testing.simulated.streams import Limits
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import TABLE, Engine, engine_on, write

pytestmark = pytest.mark.django_db(transaction=True)

KIND = "too-many-readers"


def crowded(engine: Engine) -> bool:
    return engine.stream.problems.filter(kind=KIND, resolved_at=None).exists()


@contextmanager
def other_readers(engine: Engine, number: int) -> Iterator[None]:
    """So many others that read the stream's shard four times a second, as Lambda does."""
    options = Stream.objects.get(pk=engine.stream.pk).options
    gone = threading.Event()

    def read() -> None:
        source = DynamoDBSource.from_options(options)
        shard = engine.world.stream_of(TABLE).tree.open_shards()[0]
        iterator = source.iterator(engine.stream.arn, shard.id, Origin.OLDEST)
        while not gone.wait(0.25):
            try:
                iterator = source.read(iterator).iterator or iterator
            except Throttled:
                continue
        source.close()

    threads = [threading.Thread(target=read) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        gone.set()
        for thread in threads:
            thread.join()


def test_three_readers_on_a_shard_are_a_problem_until_two_leave() -> None:
    world = World(limits=Limits(rollover_seconds=0))
    world.create_table(TABLE)
    write(world, 20)
    with engine_on(world) as engine:
        engine.read_all()
        with other_readers(engine, 2):
            write(world, 20, version="crowded")
            engine.run_until(lambda: crowded(engine), seconds=40)
            engine.read_all(seconds=40)
            (shard,) = shard_statuses(engine.stream).shards
            assert 25 <= shard.throttled_percent <= 100
            assert "more than two readers share it" in shard.error
        write(world, 20, version="alone")
        engine.read_all(seconds=40)
        engine.assert_stored_equals_written()
        assert crowded(engine)  # a good read alone does not disprove it
        problem = Problem.objects.get(kind=KIND)
        assert f"Shard {shard.name} is throttled although" in problem.sentence
        assert f"--event-source-arn {engine.stream.arn}" in problem.fix
        # It is read for another minute, and nobody throttles it.
        let_pass(engine.stream, minutes=1)
        assert shard_statuses(engine.stream).shards[0].throttled_percent == 0
        seen = Shard.objects.get().last_read_at
        assert seen
        engine.run_until(lambda: Shard.objects.filter(last_read_at__gt=seen).exists())
        watch()
        assert not crowded(engine)


def test_two_readers_are_no_problem() -> None:
    world = World(limits=Limits(rollover_seconds=0))
    world.create_table(TABLE)
    with engine_on(world) as engine:
        engine.service.watch.rates = replace(engine.service.watch.rates, get_records=1_000)
        engine.read_all()
        with other_readers(engine, 1):
            write(world, 200)
            engine.read_all()
            assert not Problem.objects.exists()


# Who they are


@pytest.fixture
def stream() -> Stream:
    return make_stream()


@pytest.fixture
def source(stream: Stream) -> ScriptedSource:
    source = ScriptedSource(stream.arn)
    source.other_readers = ["Lambda function index-orders"]
    return source


def test_known_readers_are_named_once(stream: Stream, source: ScriptedSource) -> None:
    report(KIND, "Throttled.", "Switch one off.", stream=stream, about="shard-1")
    name_readers(stream, source)
    problem = Problem.objects.get()
    assert problem.fix == "Switch one off. Known readers: Lambda function index-orders."
    source.faults["readers"] = [SourceRefused("asked again")]
    report(KIND, "Throttled.", "Switch one off.", stream=stream, about="shard-1")
    name_readers(stream, source)
    problem.refresh_from_db()
    assert "index-orders" in problem.fix
    assert source.faults["readers"]


def test_without_the_permission_the_advice_does_without(
    stream: Stream, source: ScriptedSource
) -> None:
    source.faults["readers"] = [SourceRefused("denied")]
    report(KIND, "Throttled.", "Switch one off.", stream=stream, about="shard-1")
    name_readers(stream, source)
    name_readers(stream, source)
    assert Problem.objects.get().fix == "Switch one off."


def test_a_stream_without_the_problem_asks_nobody(stream: Stream, source: ScriptedSource) -> None:
    source.faults["readers"] = [SourceRefused("asked")]
    report("throttled", "Throttled.", stream=stream, about="shard-1")
    name_readers(stream, source)
    assert source.faults["readers"]


def test_the_listing_asks_for_them(
    stream: Stream, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.SOURCES, "dynamodb", lambda options: source)
    report(KIND, "Throttled.", "Switch one off.", stream=stream, about="shard-1")
    tasks.discover(stream.pk)
    assert "index-orders" in Problem.objects.get().fix


class Lambda:
    """Answers ListEventSourceMappings as AWS does."""

    asked: list[Request]

    def __init__(self, status: int, answer: object) -> None:
        self._answer, self.asked = Answer(status, json.dumps(answer).encode()), []

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return self._answer


@pytest.fixture
def triggers() -> Callable[[Lambda], list[str]]:
    def ask(service: Lambda) -> list[str]:
        with serving(service) as url:
            options = DynamoDBOptions(table=TABLE, region="eu-central-1", endpoint_url=url)
            client = Client(options)
            try:
                return client.triggers("arn:aws:dynamodb:eu-central-1:123456789012:table/orders")
            finally:
                client.close()

    return ask


def test_lambda_triggers_are_asked_of_lambda(triggers: Callable[[Lambda], list[str]]) -> None:
    function = "arn:aws:lambda:eu-central-1:123456789012:function:index-orders"
    service = Lambda(200, {"EventSourceMappings": [{"FunctionArn": function}]})
    assert triggers(service) == ["index-orders"]
    (request,) = service.asked
    assert request.path.startswith("/2015-03-31/event-source-mappings/?EventSourceArn=arn%3Aaws")
    assert "/eu-central-1/lambda/aws4_request" in request.authorization


def test_lambda_triggers_may_be_refused(triggers: Callable[[Lambda], list[str]]) -> None:
    refusal = {"Message": "User is not authorized to perform: lambda:ListEventSourceMappings"}
    with pytest.raises(SourceRefused) as caught:
        triggers(Lambda(403, refusal))
    assert "lambda:ListEventSourceMappings" in caught.value.fix
