"""Searching in a shell: what is printed, how it is said what was searched, and how to go on."""

import json
import re
import shlex
from io import StringIO
from typing import NamedTuple

import pytest
from django.core.management import CommandError, call_command

from streams.change import INSERT, REMOVE, moment
from streams.models import Shard
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)

BEGIN = 1_800_000_000_000_000
MINUTE = 60_000_000


class Said(NamedTuple):
    lines: list[str]
    errors: list[str]


def run(command: str, *arguments: str) -> Said:
    out, errors = StringIO(), StringIO()
    call_command(command, *arguments, stdout=out, stderr=errors)
    return Said(out.getvalue().splitlines(), errors.getvalue().splitlines())


def keys(said: Said) -> list[str]:
    return [re.split(" {2}", line)[1] for line in said.lines]


@pytest.fixture
def shard() -> Shard:
    """Ten orders, a minute apart; one of five is paid."""
    shard = make_shard(make_stream("orders", options={"table": "Orders", "region": "eu-central-1"}))
    changes = [
        make_change(
            shard.stream_id,
            n,
            key=f"ORD#{n}",
            new={"status": {"S": "open" if n % 5 else "paid"}, "n": {"N": str(n)}},
            operation=INSERT,
            occurred=BEGIN + n * MINUTE,
        )
        for n in range(1, 11)
    ]
    store_in(shard, *changes)
    return shard


def test_it_prints_what_matches_newest_first(shard: Shard) -> None:
    said = run("search", "new.status:paid")
    assert said.lines == [
        "2027-01-15 08:10:00 INSERT orders  ORD#10  n, status",
        "2027-01-15 08:05:00 INSERT orders  ORD#5  n, status",
    ]
    assert said.errors == [
        "orders: changes one by one, newest first",
        "2 changes, 10 looked at; everything was searched.",
    ]


def test_it_says_by_which_index(shard: Shard) -> None:
    said = run("search", "keys.pk:ORD#7")
    assert keys(said) == ["ORD#7"]
    assert said.errors[0] == "orders: by the index of items"


def test_without_an_expression_it_prints_all(shard: Shard) -> None:
    assert keys(run("search")) == [f"ORD#{n}" for n in range(10, 0, -1)]


def test_oldest_first(shard: Shard) -> None:
    assert keys(run("search", "new.n<=3", "--oldest-first")) == ["ORD#1", "ORD#2", "ORD#3"]


def test_it_searches_a_range_of_time(shard: Shard) -> None:
    since, until = (f"{moment(BEGIN + n * MINUTE):%Y-%m-%dT%H:%M}Z" for n in (2, 4))
    assert keys(run("search", "--since", since, "--until", until)) == ["ORD#3", "ORD#2"]


@pytest.mark.parametrize("order", [[], ["--oldest-first"]])
def test_the_end_says_how_to_go_on(shard: Shard, order: list[str]) -> None:
    said, found = run("search", "new.n>2 -new.status:paid", "--limit", "4", *order), []
    while True:
        found += keys(said)
        again = said.errors[-1].removeprefix("To go on: ")
        if again == said.errors[-1]:
            break
        program, command, *arguments = shlex.split(again)
        assert (program, command) == ("manage.py", "search")
        said = run(command, *arguments)
    expected = [f"ORD#{n}" for n in (9, 8, 7, 6, 4, 3)]
    assert found == (expected[::-1] if order else expected)
    assert said.errors[-1].endswith("everything was searched.")


def test_when_the_time_is_up_it_says_how_far_it_came(shard: Shard) -> None:
    store_in(shard, make_change(shard.stream_id, 99, key="b", occurred=BEGIN - 600 * MINUTE))
    said = run("search", "new.nobody:x", "--budget", "0")
    assert "; the time is up, searched to 2027-01-15 " in said.errors[-2]
    assert said.errors[-1].startswith("To go on: manage.py search --budget 0.0 --continue ")
    assert said.errors[-1].endswith("-- new.nobody:x")


def test_json_has_the_whole_change(shard: Shard) -> None:
    said = run("search", "new.n:5", "--json")
    (change,) = map(json.loads, said.lines)
    assert change["keys"] == {"pk": {"S": "ORD#5"}}
    assert change["new"] == {"status": {"S": "paid"}, "n": {"N": "5"}}
    assert (change["stream"], change["operation"]) == ("orders", "INSERT")


def test_it_takes_an_event_pattern(shard: Shard) -> None:
    pattern = '{"dynamodb": {"NewImage": {"status": {"S": ["paid"]}}}}'
    assert keys(run("search", pattern)) == ["ORD#10", "ORD#5"]


def test_only_the_streams_are_searched_that_can_match(shard: Shard) -> None:
    other = make_shard(make_stream("stock"))
    store_in(other, make_change(other.stream_id, 1, key="x", occurred=BEGIN))
    assert keys(run("search", "table:Orders", "--limit", "1")) == ["ORD#10"]
    said = run("search", "stream:stock")
    assert keys(said) == ["x"]
    assert said.errors == [
        "stock: changes one by one, newest first",
        "1 change, 1 looked at; everything was searched.",
    ]
    assert run("search", "stream:nobody").errors == [
        "0 changes, 0 looked at; everything was searched."
    ]


def failure(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run("search", *arguments)
    assert caught.value.returncode == 2
    return caught.value


def test_a_bad_expression_is_shown_with_its_place() -> None:
    shown, mark, reason = str(failure("op:INSERT new.total>>5")).splitlines()
    assert shown == "op:INSERT new.total>>5"
    assert shown[mark.index("^")] == ">"
    assert reason.startswith("Expected a number")


def test_of_a_long_expression_only_the_part_around_is_shown() -> None:
    shown, mark, _ = str(failure(f"{'a:b ' * 100}new.total>>5 {'a:b ' * 100}")).splitlines()
    assert len(shown) < 130
    assert shown[: mark.index("^")].endswith("new.total>")


def test_a_bad_pattern_is_shown_too() -> None:
    assert '"prefixx"' in str(failure('{"table": [{"prefixx": "a"}]}'))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterdayish"], "--since: 'yesterdayish' is no time."),
        (["--continue", "7"], "--continue: '7' is no place"),
        (["--limit", "0"], "--limit must be 1 or more"),
    ],
)
def test_what_is_typed_wrong_is_said(arguments: list[str], said: str) -> None:
    assert said in str(failure(*arguments))


# tail --where


def test_tail_prints_only_what_matches_and_counts_the_rest(shard: Shard) -> None:
    said = run("tail", "orders", "--from", "start", "--no-follow", "--where", "new.status:paid")
    assert [line.split()[3] for line in said.lines] == ["ORD#5", "ORD#10"]
    assert said.errors == ["8 changes did not match."]


def test_tail_points_out_a_bad_expression(shard: Shard) -> None:
    with pytest.raises(CommandError, match=r"\^"):
        run("tail", "orders", "--no-follow", "--where", "a>>b")


def test_a_key_that_no_terminal_takes_is_escaped() -> None:
    shard = make_shard(make_stream("odd"))
    store_in(shard, make_change(shard.stream_id, 1, key="\ud800", operation=REMOVE))
    assert run("search", "stream:odd").lines[0].endswith("\\ud800  ")
