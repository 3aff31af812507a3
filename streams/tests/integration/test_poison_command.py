"""`manage.py poison`: what it prints, and how it fails."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from streams.models import Gap, PoisonRecord, Shard
from streams.stages import copy_change
from streams.stages.store import Poison
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in, stored_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    """With one record that can be read by now, and one that cannot."""
    shard = make_shard(make_stream("orders"), "shard-1")
    sound = copy_change.raw(make_change(shard.stream_id, 1))
    store_in(
        shard,
        poison=[Poison("1".zfill(21), sound, "too new"), Poison("", b"\xff", "no JSON")],
    )
    return shard


@pytest.fixture
def sound(shard: Shard) -> str:
    return str(PoisonRecord.objects.earliest("pk").pk)


@pytest.fixture
def broken(shard: Shard) -> str:
    return str(PoisonRecord.objects.latest("pk").pk)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("poison", *arguments, stdout=out)
    return out.getvalue()


def lines(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*arguments, "--json").splitlines()]


def failure(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value


def test_it_lists_what_is_open(shard: Shard, sound: str) -> None:
    assert run().splitlines() == run("list").splitlines()
    assert run().split()[0] == sound
    first, second = lines("list")
    assert (first["stream"], first["shard"], first["outcome"]) == ("orders", "shard-1", "open")
    assert (second["sequence"], second["raw"]) == ("", "\\xff")


def test_it_says_so_when_nothing_is_open() -> None:
    assert "Every record could be read" in run()
    assert lines() == []


def test_it_stores_what_can_be_read(shard: Shard, sound: str) -> None:
    assert run("retry", sound) == f"{sound}: read by a later try and stored\n"
    assert len(stored_in(shard.stream)) == 1
    (again,) = lines("retry", sound)
    assert (again["outcome"], again["settled_by"]) == ("stored", "command line")


def test_it_fails_and_says_why_if_a_record_stays_open(sound: str, broken: str) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="still open") as caught:
        call_command("poison", "retry", broken, sound, stdout=out)
    assert caught.value.returncode == 1
    first, second = out.getvalue().splitlines()
    assert first.startswith(f"{broken}: still open: The record cannot be parsed")
    assert second.startswith(f"{sound}: read")


def test_it_skips_with_a_reason(broken: str) -> None:
    run("skip", broken, "--reason", "a test record")
    assert Gap.objects.get().note == "a test record"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["skip", "BROKEN"], "Add --reason"),
        (["retry"], "Name the records"),
        (["retry", "999999"], "There is no record 999999"),
        (["list", "1"], "takes no ID"),
    ],
)
def test_what_is_typed_wrong_is_explained(broken: str, arguments: list[str], said: str) -> None:
    error = failure(*[broken if argument == "BROKEN" else argument for argument in arguments])
    assert (error.returncode, said in str(error)) == (2, True)
