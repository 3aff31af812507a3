"""The commands about one item: its state at a moment, blame, and the undo plan."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from streams.models import Gap, Stream
from streams.queries.history import versions
from streams.tests.integration.lives import KEY, Life, live

pytestmark = pytest.mark.django_db(transaction=True)

ONE = {**KEY, "s": {"S": "new"}, "m": {"M": {"x": {"N": "1"}}}}
TWO = {**KEY, "s": {"S": "paid"}, "m": {"M": {"x": {"N": "1"}}}}


@pytest.fixture
def life() -> Life:
    return live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, TWO)])


def run(command: str, *arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(command, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def ids(life: Life) -> list[str]:
    return [version.change.id for version in versions(life.stream, life.item).versions][::-1]


def test_the_state_at_a_moment(life: Life) -> None:
    said, _ = run("history", life.stream.name, '"a"', "--as-of", "2027-01-15T08:00:05Z")
    assert "The state is exactly known" in said and json.loads(said.splitlines()[-1]) == ONE


def test_the_state_at_a_moment_as_json(life: Life) -> None:
    at = "2027-01-15T08:00:05Z"
    state = json.loads(run("history", life.stream.name, '"a"', "--as-of", at, "--json")[0])
    assert (state["exact"], state["kind"], state["image"]) == (True, "known", ONE)
    assert [state["change"], state["next"]] == ids(life)


def test_a_time_that_is_none(life: Life) -> None:
    with pytest.raises(CommandError, match="--as-of: 'never' is no time") as caught:
        run("history", life.stream.name, '"a"', "--as-of", "never")
    assert caught.value.returncode == 2


def test_blame_names_the_change_of_each_field(life: Life) -> None:
    first, second = ids(life)
    lines = run("blame", life.stream.name, '"a"')[0].splitlines()
    assert lines == [
        f"s  2027-01-15 08:00:10 MODIFY {second}  changed 2 times",
        f"m  2027-01-15 08:00:00 INSERT {first}  changed 1 times",
    ]
    inside = json.loads(run("blame", life.stream.name, '"a"', "m", "--json")[0])
    assert (inside["path"], inside["value"], inside["change"]) == ("m.x", {"N": "1"}, first)


def test_blame_of_what_is_not_known(life: Life) -> None:
    assert "No change of b is stored" in run("blame", life.stream.name, '"b"')[1]
    other = live("KEYS_ONLY", [(0, ONE)])
    assert "is not known" in run("blame", other.stream.name, '"a"')[1]
    with pytest.raises(CommandError, match="no path of a field"):
        run("blame", life.stream.name, '"a"', "a..b")


def test_the_undo_plan_in_words_and_as_files(life: Life) -> None:
    first = ids(life)[0]
    said, _ = run("undo", first)
    assert "s (changed): {'S': 'paid'} -> {'S': 'new'}" in said and "Nothing was written" in said
    assert json.loads(run("undo", first, "--format", "json")[0])["Item"] == ONE
    script, _ = run("undo", first, "--format", "python")
    compile(script, "undo.py", "exec")


def test_a_doubtful_plan_says_so_beside_it(life: Life) -> None:
    at = life.writes[-1].at
    Gap.objects.create(stream=life.stream, reason="trimmed", from_at=at, to_at=at)
    out, err = run("undo", ids(life)[0], "--format", "json")
    assert "DOUBTFUL" in err and "DOUBTFUL" not in out


def test_a_plan_that_is_refused(life: Life) -> None:
    with pytest.raises(CommandError, match="nothing to undo") as caught:
        run("undo", ids(life)[1])
    assert caught.value.returncode == 1
    with pytest.raises(CommandError, match="no change '7-7'") as caught:
        run("undo", "7-7")
    assert caught.value.returncode == 2
    Stream.objects.update(source="webhook")
    with pytest.raises(CommandError, match="DynamoDB tables"):
        run("undo", ids(life)[0])
