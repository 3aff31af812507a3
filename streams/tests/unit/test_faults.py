"""AWS's error answers become our errors, each with what to do about it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import (
    IteratorExpired,
    PositionTrimmed,
    ShardGone,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    Throttled,
)
from streams.sources.dynamodb.faults import error_for

WHERE = "table orders in eu-central-1"


def error(code: str, message: str = "", *, status: int = 400) -> SourceError:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    return error_for("GetRecords", status, json.dumps(body).encode(), WHERE)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredIteratorException", IteratorExpired),
        ("TrimmedDataAccessException", PositionTrimmed),
        ("ResourceNotFoundException", ShardGone),
        ("LimitExceededException", Throttled),
        ("ProvisionedThroughputExceededException", Throttled),
        ("ThrottlingException", Throttled),
        ("RequestLimitExceeded", Throttled),
        ("AccessDeniedException", SourceRefused),
        ("UnrecognizedClientException", SourceRefused),
        ("ExpiredTokenException", SourceRefused),
        ("ValidationException", SourceRefused),
    ],
)
def test_a_code_is_one_error(code: str, kind: type[SourceError]) -> None:
    assert type(error(code)) is kind


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_error_may_work_when_tried_again(status: int) -> None:
    assert type(error("InternalServerError", status=status)) is SourceUnavailable
    assert type(error_for("GetRecords", status, b"<html>Bad gateway", WHERE)) is SourceUnavailable


def test_a_code_counts_without_its_prefix() -> None:
    body = b'{"__type": "TrimmedDataAccessException", "Message": "too old"}'
    found = error_for("GetRecords", 400, body, WHERE)
    assert type(found) is PositionTrimmed
    assert "too old" in found.sentence


def test_the_sentence_says_what_failed_and_where() -> None:
    sentence = error("ValidationException", "Invalid ShardId.").sentence
    assert sentence == f"GetRecords on {WHERE}: ValidationException. Invalid ShardId."


def test_a_missing_permission_is_named_with_its_resource() -> None:
    found = error(
        "AccessDeniedException",
        "User: arn:aws:iam::1:user/x is not authorized to perform: dynamodb:GetRecords on "
        "resource: arn:aws:dynamodb:eu-central-1:1:table/orders/stream/* because no policy",
    )
    assert found.kind == "access-denied"
    assert "Allow dynamodb:GetRecords on arn:aws:dynamodb:" in found.fix


def test_a_denial_without_words_names_the_operation() -> None:
    assert "Allow dynamodb:GetRecords" in error("AccessDeniedException").fix


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "ExpiredTokenException"])
def test_wrong_credentials_are_told_from_missing_permissions(code: str) -> None:
    found = error(code, "The security token included in the request is invalid.")
    assert (found.kind, "credential" in found.fix) == ("access-denied", True)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_without_a_code_is_a_denial(status: int) -> None:
    assert error_for("GetRecords", status, b"Forbidden", WHERE).kind == "access-denied"


def test_a_wrong_region_is_told_by_the_signature() -> None:
    found = error(
        "InvalidSignatureException", "Credential should be scoped to a valid region, not 'x'."
    )
    assert (found.kind, "region" in found.fix) == ("wrong-region", True)


@given(st.integers(201, 599), st.binary(max_size=40))
def test_any_other_answer_is_an_error_with_a_sentence(status: int, body: bytes) -> None:
    found = error_for("GetRecords", status, body, WHERE)
    assert isinstance(found, SourceError)
    assert WHERE in found.sentence


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=3))
def test_any_json_answer_is_an_error_with_a_sentence(body: object) -> None:
    for answer in (body, {"__type": body, "message": body}):
        found = error_for("GetRecords", 400, json.dumps(answer).encode(), WHERE)
        assert WHERE in found.sentence
