import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import MalformedKey
from streams.item_key import (
    canonical,
    canonical_number,
    from_token,
    is_canonical,
    item_id,
    parse,
    token,
)

numbers = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=Decimal("-1e38"), max_value=Decimal("1e38")
)
keys = st.dictionaries(
    st.text(min_size=1, max_size=5),
    st.one_of(
        st.text(max_size=9).map(lambda text: {"S": text}),
        numbers.map(lambda number: {"N": str(number)}),
    ),
    min_size=1,
    max_size=2,
)


@given(numbers)
def test_a_number_has_one_spelling(number: Decimal) -> None:
    plain = canonical_number(str(number))
    assert Decimal(plain) == number
    assert canonical_number(f"{number:e}") == plain
    assert canonical_number(plain) == plain


def test_all_38_digits_of_a_number_count() -> None:
    digits = "12345678901234567890123456789012345678"
    assert canonical_number(digits) == digits
    assert canonical_number(f"-0.{digits}0") == f"-0.{digits}"


@given(keys)
def test_a_key_survives_its_url(key: dict[str, dict[str, str]]) -> None:
    assert canonical(from_token(token(canonical(key)))) == canonical(key)


def test_the_order_of_attributes_does_not_matter() -> None:
    one = {"a": {"S": "x"}, "b": {"N": "1"}}
    other = {"b": {"N": "1.0"}, "a": {"S": "x"}}
    assert item_id(1, canonical(one)) == item_id(1, canonical(other))


plain_keys = st.dictionaries(
    st.text("aB_-.1é", min_size=1, max_size=3),
    st.tuples(st.sampled_from("SNB"), st.text('01-a"\\ /é\n', max_size=4)).map(lambda p: dict([p])),
    min_size=1,
    max_size=3,
)


@given(plain_keys)
def test_a_key_called_canonical_is_spelled_canonically(key: dict[str, dict[str, str]]) -> None:
    spelled = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
    if is_canonical(spelled.encode()):
        assert canonical(key) == spelled


@pytest.mark.parametrize(
    "spelled",
    [
        b'{"pk":{"S":"ORDER#1"}}',
        b'{"pk":{"S":"a b/c"},"sk":{"N":"-7"}}',
        b'{"a":{"B":"AAEC"},"b":{"N":"0"}}',
    ],
)
def test_usual_keys_are_canonical_as_they_come(spelled: bytes) -> None:
    assert is_canonical(spelled)
    assert canonical(json.loads(spelled)).encode() == spelled


@pytest.mark.parametrize(
    "spelled",
    [
        b'{"b":{"S":"x"},"a":{"S":"y"}}',
        b'{"a":{"S":"x"},"a":{"S":"x"}}',
        b'{"pk":{"N":"007"}}',
        b'{"pk":{"N":"1.0"}}',
        b'{"pk": {"S":"x"}}',
        b'{"pk":{"S":"\\u0041"}}',
        b'{"pk":{"S":"x"}}\n',
        b'{"pk":{"BOOL":"x"}}',
        b"{}",
    ],
)
def test_other_spellings_are_made_canonical(spelled: bytes) -> None:
    assert not is_canonical(spelled)


def test_two_streams_have_different_items_of_one_key() -> None:
    key = canonical({"a": {"S": "x"}})
    assert item_id(1, key) != item_id(2, key)


@pytest.mark.parametrize(
    ("text", "schema", "key"),
    [
        ('{"pk": {"S": "a"}}', [["pk", "S"]], {"pk": {"S": "a"}}),
        ('{"pk": "a"}', [["pk", "S"]], {"pk": {"S": "a"}}),
        ('"a"', [["pk", "S"]], {"pk": {"S": "a"}}),
        ("7.50", [["pk", "N"]], {"pk": {"N": "7.5"}}),
        ('{"pk": "AAE="}', [["pk", "B"]], {"pk": {"B": "AAE="}}),
        (
            '{"pk": "a", "sk": 12345678901234567890123456789012345678}',
            [["pk", "S"], ["sk", "N"]],
            {"pk": {"S": "a"}, "sk": {"N": "12345678901234567890123456789012345678"}},
        ),
    ],
)
def test_it_reads_keys_as_people_write_them(
    text: str, schema: list[list[str]], key: dict[str, dict[str, str]]
) -> None:
    assert parse(text, schema) == key


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ("{}", "JSON object"),
        ('{"px": "a", "sk": 1}', 'the table\'s key is "pk", "sk"'),
        ('{"pk": 1, "sk": 1}', 'write "1" in quotes'),
        ('{"pk": "a", "sk": "x"}', "no such value"),
        ('{"pk": "a", "sk": "NaN"}', "no such value"),
        ('{"pk": "a", "sk": {"S": "1"}}', "type N"),
        ('{"pk": {"S": "a", "N": "1"}, "sk": 1}', "one type"),
        ('{"pk": "a", "sk": null}', "string, a number"),
        ('{"pk": "a", "sk": 1e999999}', "no such value"),
    ],
)
def test_a_malformed_key_is_explained(text: str, says: str) -> None:
    with pytest.raises(MalformedKey, match=says):
        parse(text, [["pk", "S"], ["sk", "N"]])


@given(st.text(max_size=30))
def test_any_other_token_is_refused(text: str) -> None:
    try:
        key = from_token(text)
    except MalformedKey:
        return
    assert json.loads(canonical(key))
