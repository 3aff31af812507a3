"""What the shell says of retention, and what of it can be set there; and beat's task."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from streams import tasks
from streams.models import Drop, Edit, Shard, Stream
from streams.queries.verify import verify
from streams.schedule import SCHEDULE
from streams.sources import registry
from streams.testing.factories import make_stream
from streams.testing.scripted import ScriptedSource
from streams.tests.integration.retaining import days_stored, lived, retain_now, watched

pytestmark = pytest.mark.django_db(transaction=True)


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def shard() -> Shard:
    shard = watched(7, name="orders")
    lived(shard, 20, 9, 0)
    return shard


# retention


def test_it_tells_each_leaf_and_what_becomes_of_it(shard: Shard) -> None:
    head, *leaves = run("retention", "orders").splitlines()
    assert head == "orders: changes are kept 7 days."
    assert [leaf.partition("dropped ")[2] for leaf in leaves[:2]] == ["within a minute or two"] * 2
    assert leaves[2].endswith(" UTC")
    assert "about" in leaves[0] and "kB" in leaves[0]


def test_it_tells_why_a_leaf_is_held(shard: Shard) -> None:
    Shard.objects.update(caught_up_at=None, newest_change_at=None)
    assert f"held: Shard {shard.name} has not been read yet." in run("retention", "orders")


def test_it_tells_all_streams_without_a_name(shard: Shard) -> None:
    make_stream("stock")
    assert "stock: changes are kept for ever." in run("retention").splitlines()


def test_it_tells_the_same_as_json(shard: Shard) -> None:
    retain_now(shard.stream)
    (line,) = run("retention", "--json").splitlines()
    told = json.loads(line)
    assert (told["stream"], told["keep_days"]) == ("orders", 7)
    assert told["dropped_until"] == Drop.objects.latest("to_at").to_at.isoformat().replace(
        "+00:00", "Z"
    )
    today = told["leaves"][0]
    assert today.keys() >= {"name", "from_at", "to_at", "rows", "size", "drops_at", "due", "held"}
    assert (today["due"], today["held"]) == (False, "")


def test_it_answers_an_unknown_stream() -> None:
    with pytest.raises(CommandError, match="There is no stream"):
        run("retention", "nobody")


# history


def test_history_says_up_to_when_changes_were_dropped(shard: Shard) -> None:
    assert "dropped" not in run("history", "orders", '"a"')
    retain_now(shard.stream)
    until = f"{Drop.objects.latest('to_at').to_at:%Y-%m-%d} 00:00:00"
    sentence = f"Changes before {until} UTC were dropped by retention."
    assert run("history", "orders", '"a"').splitlines()[-1] == sentence
    assert sentence in run("history", "orders", '"b"')
    assert all(json.loads(line) for line in run("history", "orders", '"a"', "--json").splitlines())


# add_stream


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ScriptedSource("arn:1")
    monkeypatch.setitem(registry.SOURCES, "dynamodb", lambda options: source)


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(("given", "kept"), [([], None), (["30"], 30), (["forever"], None)])
def test_a_stream_is_added_with_its_retention(given: list[str], kept: int | None) -> None:
    options = ["--keep-days", *given] if given else []
    run("add_stream", "orders", "--table", "orders", *options)
    assert Stream.objects.get().keep_days == kept
    assert Edit.objects.get().fields["keep_days"] == [None, kept]


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize("days", ["1", "soon", "-5", "4000"])
def test_a_retention_that_is_not_allowed_is_refused(days: str) -> None:
    with pytest.raises(CommandError):
        run("add_stream", "orders", "--table", "orders", f"--keep-days={days}")
    assert not Stream.objects.exists()


@pytest.mark.usefixtures("source")
@override_settings(KEEP_DAYS=45)
def test_a_stream_is_added_with_the_servers_retention() -> None:
    run("add_stream", "orders", "--table", "orders")
    assert Stream.objects.get().keep_days == 45


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(
    ("given", "names"), [([], None), (["sku, id,"], ["id", "sku"]), (["-"], [])]
)
def test_a_stream_is_added_with_its_indexed_attributes(
    given: list[str], names: list[str] | None
) -> None:
    options = ["--index", *given] if given else []
    run("add_stream", "orders", "--table", "orders", *options)
    stream = Stream.objects.get()
    assert (stream.indexed_attributes, stream.indexed_since) == (names, None)


@pytest.mark.usefixtures("source")
def test_a_stream_is_added_with_its_ignored_fields() -> None:
    run("add_stream", "orders", "--table", "orders", "--ignore", "views, seen_at,")
    assert Stream.objects.get().ignored_fields == ["seen_at", "views"]


# beat


def test_beats_task_drops_and_may_run_twice(shard: Shard) -> None:
    for _ in range(2):
        tasks.retain_all()
        assert days_stored(shard.stream) == [0, 0]
    assert Drop.objects.count() == 2
    assert verify(shard.stream).broken is None
    assert SCHEDULE["retain"]["task"] == tasks.retain_all.name
