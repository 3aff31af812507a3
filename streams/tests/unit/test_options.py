"""Options of a DynamoDB stream: checked before anything is called, with the wrong one named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import SourceRefused
from streams.sources.dynamodb.options import DynamoDBOptions

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"


def refused(**given_: Any) -> SourceRefused:
    with pytest.raises(SourceRefused) as caught:
        DynamoDBOptions.of({"table": "orders", **given_})
    assert caught.value.sentence
    assert caught.value.fix
    return caught.value


def test_a_table_is_enough() -> None:
    expected = {"table": "orders", "region": "", "endpoint_url": "", "role_arn": ""}
    assert DynamoDBOptions.of({"table": " orders "}).as_dict() == expected


def test_what_is_not_given_may_be_none() -> None:
    assert DynamoDBOptions.of({"table": "orders", "region": None}).region == ""


@pytest.mark.parametrize("arn", [ARN, f"{ARN}/stream/2026-11-21T10:00:00.000"])
def test_an_arn_stands_for_table_and_region(arn: str) -> None:
    options = DynamoDBOptions.of({"table": arn})
    assert (options.table, options.region) == ("orders", "eu-west-1")


def test_a_given_region_counts_more_than_the_arns() -> None:
    assert DynamoDBOptions.of({"table": ARN, "region": "us-east-1"}).region == "us-east-1"


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "local"])
def test_regions_are_taken(region: str) -> None:
    assert DynamoDBOptions.of({"table": "orders", "region": region}).region == region


@pytest.mark.parametrize("table", ["", "ab", "a b c", "x" * 256, "or\nders", "tab/le"])
def test_a_table_name_is_checked(table: str) -> None:
    assert refused(table=table).kind == "options"


@pytest.mark.parametrize("region", ["Frankfurt", "eu central 1", "eu-central-1; drop", "1"])
def test_a_region_is_checked(region: str) -> None:
    assert refused(region=region).kind == "wrong-region"


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "ftp://x", "//x", "http://", "http://[", "http://a:99999", "http://a:x"],
)
def test_an_endpoint_url_is_checked(url: str) -> None:
    assert refused(endpoint_url=url).kind == "options"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://x.example/path", "http://[::1]"])
def test_endpoint_urls_are_taken(url: str) -> None:
    assert DynamoDBOptions.of({"table": "orders", "endpoint_url": url}).endpoint_url == url


def test_a_role_is_checked() -> None:
    role = "arn:aws:iam::123456789012:role/reader"
    assert DynamoDBOptions.of({"table": "orders", "role_arn": role}).role_arn == role
    assert refused(role_arn="reader").kind == "options"


def test_an_unknown_option_is_named() -> None:
    assert "tabel" in refused(tabel="orders").sentence


@given(
    st.dictionaries(
        st.sampled_from([*DynamoDBOptions.__dataclass_fields__, "other"]),
        st.none() | st.text(max_size=20) | st.from_regex(r"https?://[^/]{0,9}") | st.integers(),
    )
)
def test_no_option_brings_another_error(given_: dict[str, Any]) -> None:
    try:
        options = DynamoDBOptions.of(given_)
    except SourceRefused as error:
        assert error.fix
        return
    assert DynamoDBOptions.of(options.as_dict()) == options
