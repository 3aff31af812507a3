"""The command line: what it prints, and how it fails."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from streams.change import INSERT, MODIFY, REMOVE
from streams.errors import SourceRefused
from streams.models import Edit, Shard, Stream
from streams.queries import feed
from streams.sources import registry
from streams.stages.publish import number_batches
from streams.testing.factories import make_change, make_shard, make_stream
from streams.testing.scripted import ScriptedSource, make_record
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)

LINE = {"stream", "shard", "sequence", "event_id", "operation", "keys", "old", "new"}
LINE |= {"occurred_at", "stored_at", "cursor"}
BIG = "12345678901234567890123456789012345678"


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream("orders"), "shard-1")


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=out)
    return out.getvalue()


def lines(command: str, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(command, *arguments, "--json").splitlines()]


def failure(command: str, *arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(command, *arguments)
    return caught.value


def store_life(shard: Shard) -> None:
    """An item that is made, changed and removed."""
    first, second = {"n": {"N": BIG}}, {"n": {"N": "2"}, "s": {"S": "ü\0\ud800"}}
    store_in(
        shard,
        make_change(shard.stream_id, 1, operation=INSERT, new=first),
        make_change(shard.stream_id, 2, operation=MODIFY, old=first, new=second),
        make_change(shard.stream_id, 3, operation=REMOVE, old=second),
    )


# tail


def test_tail_prints_each_change_with_all_its_fields(shard: Shard) -> None:
    store_life(shard)
    printed = lines("tail", "orders", "--from", "start", "--no-follow")
    assert [line["operation"] for line in printed] == [INSERT, MODIFY, REMOVE]
    assert all(line.keys() >= LINE for line in printed)
    first = printed[0]
    assert (first["stream"], first["shard"]) == ("orders", "shard-1")
    assert (first["sequence"], first["event_id"]) == ("1".zfill(21), "event-1")
    assert first["cursor"] == f"{feed.head().position}.0"


def test_tail_prints_images_unchanged(shard: Shard) -> None:
    store_life(shard)
    first, second, third = lines("tail", "orders", "--from", "start", "--no-follow")
    assert (first["old"], first["new"]) == (None, {"n": {"N": BIG}})
    assert second["new"] == third["old"] == {"n": {"N": "2"}, "s": {"S": "ü\0\ud800"}}
    assert third["keys"] == {"pk": {"S": "a"}}


def test_tail_goes_on_after_a_cursor(shard: Shard) -> None:
    store_life(shard)
    cursor = lines("tail", "orders", "--from", "start", "--no-follow")[0]["cursor"]
    after = lines("tail", "orders", "--from", cursor, "--no-follow")
    assert [line["operation"] for line in after] == [MODIFY, REMOVE]


def test_tail_from_now_begins_with_what_is_not_stored_yet(shard: Shard) -> None:
    store_life(shard)
    assert run("tail", "orders", "--no-follow") == ""


def test_tail_prints_only_its_stream(shard: Shard) -> None:
    store_life(make_shard(make_stream("others")))
    assert run("tail", "orders", "--from", "start", "--no-follow") == ""


def test_tail_is_readable_without_json(shard: Shard) -> None:
    store_life(shard)
    printed = run("tail", "orders", "--from", "start", "--no-follow").splitlines()
    assert [line.split()[2:4] for line in printed] == [[o, "a"] for o in (INSERT, MODIFY, REMOVE)]


def test_tail_refuses_another_begin(shard: Shard) -> None:
    error = failure("tail", "orders", "--from", "yesterday")
    assert (error.returncode, "start or now" in str(error)) == (2, True)


# history


@pytest.mark.parametrize("key", ['{"pk": {"S": "a"}}', '{"pk": "a"}', '"a"'])
def test_history_prints_an_items_versions_newest_first(shard: Shard, key: str) -> None:
    store_life(shard)
    printed = lines("history", "orders", key)
    assert [line["operation"] for line in printed] == [REMOVE, MODIFY, INSERT]
    assert all(line.keys() >= LINE for line in printed)


def test_history_prints_more_than_a_page(shard: Shard) -> None:
    store_in(shard, *[make_change(shard.stream_id, n) for n in range(1, 251)])
    number_batches()
    printed = lines("history", "orders", '"a"')
    assert [int(line["sequence"]) for line in printed] == list(range(250, 0, -1))


def test_history_supplies_the_images_and_says_so(shard: Shard) -> None:
    for n in (1, 2):
        store_in(shard, make_change(shard.stream_id, n, new={"n": {"N": str(n)}}))
    newest = lines("history", "orders", '"a"')[0]
    assert (newest["old"], newest["old_from"]) == ({"n": {"N": "1"}}, "previous")
    assert "previous stored version" in newest["note"]


def test_history_of_an_unknown_item_says_so(shard: Shard) -> None:
    assert "No change of nobody is stored in orders" in run("history", "orders", '"nobody"')


@pytest.mark.parametrize("key", ["{", "[]", '{"px": "a"}', '{"pk": 7}'])
def test_history_of_a_malformed_key_shows_how_to_write_it(shard: Shard, key: str) -> None:
    error = failure("history", "orders", key)
    assert error.returncode == 2
    assert "pk" in str(error) or "JSON" in str(error)


@pytest.mark.parametrize("command", [["tail"], ["history", "7"], ["set_endpoint", "http://x"]])
def test_an_unknown_stream_is_answered_with_the_near_names(
    shard: Shard, command: list[str]
) -> None:
    make_stream("stock")
    error = failure(command[0], "order", *command[1:])
    assert error.returncode == 2
    assert "orders" in str(error)
    assert "stock" not in str(error)


# status


def test_status_prints_every_stream(shard: Shard) -> None:
    store_life(shard)
    (printed,) = json.loads(run("status", "--json"))["streams"]
    assert printed.keys() >= {"name", "state", "sentence", "lag_seconds", "shards", "changes"}
    assert (printed["name"], printed["shards"], printed["changes"]) == ("orders", 1, 3)
    assert printed["sentence"]


def test_status_is_readable_without_json(shard: Shard) -> None:
    printed = run("status")
    assert "orders" in printed
    assert "No worker is reading" in printed


def test_status_without_a_stream_says_how_to_add_one() -> None:
    assert "manage.py add_stream" in run("status")
    assert json.loads(run("status", "--json"))["streams"] == []


def test_status_prints_every_shard(shard: Shard) -> None:
    store_life(shard)
    (found,) = json.loads(run("status", "--shards", "orders", "--json"))["shards"]
    (printed,) = found["shards"]
    assert (found["stream"], found["more"]) == ("orders", False)
    assert (printed["name"], printed["changes"]) == ("shard-1", 3)
    assert printed["position"] == "3".zfill(21)
    assert printed.keys() >= {"state", "sentence", "parent", "owner", "lag_seconds", "error"}
    assert printed.keys() >= {"time_left_seconds", "read_seconds", "throttled_percent", "arn"}


def test_status_prints_the_shards_of_all_streams_for_people(shard: Shard) -> None:
    long_ago = timezone.now() - timedelta(hours=2, seconds=30)
    make_shard(make_stream("others"), "shard-2", last_read_at=long_ago, caught_up_at=long_ago)
    printed = run("status", "--shards")
    assert "orders:" in printed and "others:" in printed
    assert "shard-1" in printed and "shard-2" in printed
    assert "AWS keeps unread changes another 21 h 59 min" in printed


def test_status_of_an_unknown_streams_shards_names_the_near_ones(shard: Shard) -> None:
    error = failure("status", "--shards", "order")
    assert (error.returncode, "orders" in str(error)) == (2, True)


# add_stream


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedSource]:
    source = ScriptedSource("arn:1")
    source.add("shard-1").records.append(make_record(1))
    monkeypatch.setitem(registry.SOURCES, "dynamodb", lambda options: source)
    yield source


@pytest.mark.usefixtures("source")
def test_add_stream_saves_what_it_checked() -> None:
    printed = run("add_stream", "orders", "--table", "orders", "--start", "trim-horizon")
    assert "Stream orders added" in printed
    assert "1 shards" in printed
    stream = Stream.objects.get()
    assert (stream.name, stream.arn, stream.start) == ("orders", "arn:1", "trim-horizon")
    assert stream.key_schema == [["pk", "S"]]
    assert Edit.objects.get().what == "stream orders"


def test_add_stream_saves_nothing_that_fails(source: ScriptedSource) -> None:
    source.faults["describe"] = [SourceRefused("No such table.", "Check it.")]
    error = failure("add_stream", "orders", "--table", "orders")
    assert (str(error), error.returncode) == ("No such table.\nCheck it.", 1)
    assert not Stream.objects.exists()


@pytest.mark.parametrize("method", ["shards", "iterator", "read"])
def test_add_stream_tries_every_call_that_reading_needs(
    source: ScriptedSource, method: str
) -> None:
    source.faults[method] = [SourceRefused("Denied.", "Allow it.", kind="access-denied")]
    assert "Denied" in str(failure("add_stream", "orders", "--table", "orders"))
    assert not Stream.objects.exists()


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["orders", "--start", "soon"], "not understood"),
        (["orders", "--start", "2999-01-01"], "in the future"),
        (["or ders"], "Use letters"),
        (["taken"], "already exists"),
    ],
)
def test_add_stream_refuses_what_cannot_be(arguments: list[str], says: str) -> None:
    make_stream("taken")
    error = failure("add_stream", *arguments, "--table", "orders")
    assert (error.returncode, says in str(error)) == (1, True), str(error)
    assert Stream.objects.count() == 1


def test_add_stream_refuses_an_unknown_kind_of_source() -> None:
    assert "invalid choice" in str(failure("add_stream", "x", "--table", "t", "--source", "oracle"))


@pytest.mark.usefixtures("source")
def test_set_endpoint_keeps_the_stream(shard: Shard) -> None:
    assert "http://127.0.0.1:1" in run("set_endpoint", "orders", "http://127.0.0.1:1")
    assert Stream.objects.get().pk == shard.stream_id
