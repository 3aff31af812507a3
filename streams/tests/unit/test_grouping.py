"""Groups: different values, different groups; and whatever the values are, they can be stored."""

from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from streams.alerting.definition import define
from streams.alerting.grouping import LONGEST, group_of, seen_in, shortened
from streams.change import INSERT, REMOVE, Change
from streams.testing.factories import make_change
from streams.tests.unit.any_image import images

ITEM: dict[str, Any] = {
    "pk": {"S": "o1"},
    "status": {"S": "paid"},
    "total": {"N": "12.50"},
    "gift": {"BOOL": True},
    "gone": {"NULL": True},
    "tags": {"SS": ["b", "a"]},
    "address": {"M": {"city": {"S": "Köln"}}},
    "lines": {"L": [{"M": {"sku": {"S": "x"}}}, {"M": {"sku": {"S": "y"}}}]},
}


def change_of(new: dict[str, Any] | None, old: dict[str, Any] | None = None) -> Change:
    return make_change(1, 1, key="o1", operation=INSERT if new else REMOVE, new=new, old=old)


@pytest.mark.parametrize(
    ("group_by", "group"),
    [
        ([], ""),
        (["item"], "o1"),
        (["stream", "operation"], "orders, INSERT"),
        (["new.status"], "paid"),
        (["new.total"], "12.5"),
        (["new.gift", "new.gone"], "true, null"),
        (["new.address.city"], "Köln"),
        (["new.lines.sku"], '["x", "y"]'),
        (["new.missing"], "(none)"),
        (["old.status", "new.status"], "(none), paid"),
        (["keys.pk"], "o1"),
    ],
)
def test_a_group_is_its_values(group_by: list[str], group: str) -> None:
    assert group_of(group_by, "orders", change_of(ITEM)) == group


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": {"S": "x, y"}, "b": {"S": "z"}}, {"a": {"S": "x"}, "b": {"S": "y, z"}}),
        ({"b": {"S": "z"}}, {"a": {"S": "(none)"}, "b": {"S": "z"}}),
        ({"a": {"S": "x" * 400}}, {"a": {"S": "x" * 401}}),
        ({"a": {"S": ""}}, {"a": {"S": '""'}}),
    ],
)
def test_different_values_are_different_groups(one: dict[str, Any], other: dict[str, Any]) -> None:
    groups = [group_of(["new.a", "new.b"], "", change_of(new)) for new in (one, other)]
    assert groups[0] != groups[1]


def test_a_number_is_the_same_however_it_is_spelled() -> None:
    groups = {group_of(["new.n"], "", change_of({"n": {"N": n}})) for n in ("10", "10.0", "1e1")}
    assert groups == {"10"}


@given(images)
def test_any_value_makes_a_group_that_can_be_stored(image: dict[str, Any]) -> None:
    change = change_of({**image, "pk": {"S": "o1"}})
    first = next(iter(image), "none")
    texts = [group_of([f"new.{first}", "item"], "s", change)]
    texts += seen_in(define({"kind": "first-seen"}), change)
    texts += seen_in(define({"kind": "first-seen", "params": {"what": "new.pk"}}), change)
    for text in texts:
        assert len(text) <= LONGEST
        assert "\0" not in text.encode().decode()


def test_a_long_text_is_cut_and_stays_itself() -> None:
    cut = shortened("x" * 1_000)
    assert len(cut) == LONGEST
    assert cut != shortened("x" * 1_001)


@pytest.mark.parametrize(
    ("what", "seen"),
    [
        ("attributes", ["address:M", "gift:BOOL", "gone:NULL", "lines:L", "pk:S", "status:S"]),
        ("new.status", ["paid"]),
        ("new.tags", ["a", "b"]),
        ("new.lines.sku", ["x", "y"]),
        ("old.status", []),
        ("keys.pk", ["o1"]),
    ],
)
def test_what_a_change_shows(what: str, seen: list[str]) -> None:
    definition = define({"kind": "first-seen", "params": {"what": what}})
    found = seen_in(definition, change_of(ITEM))
    assert found[: len(seen)] == seen
    assert len(found) == (8 if what == "attributes" else len(seen))


def test_without_a_new_image_the_old_one_is_looked_at_or_the_key() -> None:
    definition = define({"kind": "first-seen"})
    assert seen_in(definition, change_of(None, {"a": {"N": "1"}})) == ["a:N"]
    assert seen_in(definition, change_of(None)) == ["pk:S"]


def test_what_is_nested_without_end_has_no_group() -> None:
    deep = b'{"a":' + b'{"L":[' * 5_000 + b'{"S":"x"}' + b"]}" * 5_000 + b"}"
    change = replace(change_of(ITEM), new=deep)
    assert group_of(["new.a"], "", change) == "(none)"
