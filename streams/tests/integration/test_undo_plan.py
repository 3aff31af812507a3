"""Undo plans of stored versions; and their scripts, run against DynamoDB Local."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import REGION
from streams.change import moment
from streams.models import Gap
from streams.queries.history import Version, versions
from streams.queries.undo import undo_plan
from streams.tests.integration.lives import BEGIN, KEY, Life, live
from streams.tests.integration.wire import wire
from streams.undo import Target, UndoPlan, UndoRefused, plan

ONE, TWO = {**KEY, "n": {"N": "1"}}, {**KEY, "n": {"N": "2"}}


def history(life: Life) -> list[Version]:
    return versions(life.stream, life.item).versions


def undone(life: Life, number: int) -> UndoPlan:
    """The plan that goes back to the state after the write of this number, from 0."""
    return undo_plan(life.stream, history(life)[-1 - number].change)


@pytest.mark.django_db(transaction=True)
class TestStored:
    @pytest.mark.parametrize("view", ["NEW_AND_OLD_IMAGES", "NEW_IMAGE"])
    def test_it_goes_back_to_any_version(self, view: str) -> None:
        life = live(view, [(0, ONE), (1, TWO), (1, None), (1, TWO)])
        assert undone(life, 0).request["Item"] == ONE
        assert undone(life, 2).operation == "DeleteItem"
        assert undone(life, 0).request["TableName"] == life.stream.options["table"]
        assert undone(life, 0).warnings == []
        with pytest.raises(UndoRefused, match="nothing to undo"):
            undone(life, 3)

    @pytest.mark.parametrize(("view", "which"), [("OLD_IMAGE", "newest"), ("KEYS_ONLY", "this")])
    def test_without_images_it_is_refused(self, view: str, which: str) -> None:
        life = live(view, [(0, ONE), (1, TWO)])
        with pytest.raises(UndoRefused, match=f"after (the )?{which} version is not known"):
            undone(life, 0)

    def test_old_images_are_enough_for_a_deleted_item(self) -> None:
        life = live("OLD_IMAGE", [(0, ONE), (1, TWO), (1, None)])
        assert undone(life, 0).request["Item"] == ONE

    @pytest.mark.parametrize(("second", "doubtful"), [(0, False), (30, True)])
    def test_a_gap_after_the_newest_version_is_said_loudly(
        self, second: int, doubtful: bool
    ) -> None:
        life = live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, TWO)])
        at = moment(BEGIN + second * 1_000_000)
        Gap.objects.create(stream=life.stream, reason="trimmed", from_at=at, to_at=at)
        assert [said[:9] for said in undone(life, 0).warnings] == ["DOUBTFUL:"] * doubtful


FIRST: dict[str, Any] = {
    "text": {"S": 'it\'s \\ "quoted" {x} é'},
    "big": {"N": "12345678901234567890123456789012345678"},
    "raw": {"B": b"\x00\xff"},
    "raws": {"BS": [b"\x01", b"\x02"]},
    "names": {"SS": ["a", "b"]},
    "odd name": {"M": {"a.b": {"L": [{"BOOL": False}, {"NULL": True}, {"B": b"x"}]}}},
}
SECOND: dict[str, Any] = {**FIRST, "text": {"S": ""}, "more": {"N": "1"}, "names": {"SS": ["c"]}}
ITEM_KEY = {"pk": {"S": "ORD#1 'x'"}}


class Table:
    """A table in DynamoDB Local with one item, written as any application would."""

    def __init__(self, dynamodb: Any, name: str, url: str) -> None:
        self.dynamodb, self.name, self.url = dynamodb, name, url

    def put(self, attributes: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName=self.name, Item={**ITEM_KEY, **attributes})

    def delete(self) -> None:
        self.dynamodb.delete_item(TableName=self.name, Key=ITEM_KEY)

    def get(self) -> Any:
        return self.dynamodb.get_item(TableName=self.name, Key=ITEM_KEY).get("Item")

    def undo(self, current: Any, wanted: Any) -> UndoPlan:
        target = Target(self.name, REGION, self.url)
        return plan(target, ITEM_KEY, _as_sent(current), _as_sent(wanted), ["Beware."])


def _as_sent(attributes: dict[str, Any] | None) -> Any:
    """The image as a stream's JSON has it: binaries in base64."""
    if attributes is None:
        return None
    return {name: wire(value) for name, value in {**ITEM_KEY, **attributes}.items()}


@pytest.fixture
def table(dynamodb: Any, dynamodb_url: str, make_table: Callable[..., str]) -> Table:
    return Table(dynamodb, make_table(None), dynamodb_url)


def run(undo: UndoPlan, folder: Path, *arguments: str) -> tuple[int, str]:
    script = folder / "undo.py"
    script.write_text(undo.python_script())
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env={**os.environ, **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, done.stdout


@pytest.mark.dynamodb_local
class TestRun:
    @pytest.mark.parametrize(
        ("current", "wanted"),
        [(SECOND, FIRST), (FIRST, SECOND), (None, FIRST), (SECOND, None), ({}, FIRST)],
    )
    def test_the_script_brings_the_item_back(
        self, table: Table, tmp_path: Path, current: Any, wanted: Any
    ) -> None:
        table.delete() if current is None else table.put(current)
        undo = table.undo(current, wanted)
        assert "Nothing was written" in run(undo, tmp_path)[1]
        assert table.get() == (None if current is None else {**ITEM_KEY, **current})
        assert run(undo, tmp_path, "--run")[0] == 0
        assert table.get() == (None if wanted is None else {**ITEM_KEY, **wanted})

    @pytest.mark.parametrize("other", [{**SECOND, "more": {"N": "2"}}, None, {}])
    @pytest.mark.parametrize("wanted", [FIRST, None])
    def test_after_another_write_it_fails_and_writes_nothing(
        self, table: Table, tmp_path: Path, wanted: Any, other: Any
    ) -> None:
        table.put(SECOND)
        undo = table.undo(SECOND, wanted)
        table.delete() if other is None else table.put(other)
        code, said = run(undo, tmp_path, "--run")
        assert code == 1 and "Not written" in said
        assert table.get() == (None if other is None else {**ITEM_KEY, **other})

    def test_a_deleted_item_that_was_made_again_stays(self, table: Table, tmp_path: Path) -> None:
        undo = table.undo(None, FIRST)
        table.put(SECOND)
        assert run(undo, tmp_path, "--run")[0] == 1
        assert table.get() == {**ITEM_KEY, **SECOND}

    def test_the_largest_condition_is_taken(self, table: Table, tmp_path: Path) -> None:
        """149 attributes: one more, and only the changed ones would be compared."""
        many = {f"attribute-{n}": {"N": str(n)} for n in range(149)}
        table.put({**many, "s": {"S": "2"}})
        undo = table.undo({**many, "s": {"S": "2"}}, {**many, "s": {"S": "1"}})
        assert undo.guard == "all"
        assert run(undo, tmp_path, "--run")[0] == 0
