"""`add_stream` checks the source first, and says in words what to mend."""

from collections.abc import Callable

import pytest

from conftest import REGION
from streams.testing.stack import Stack

pytestmark = pytest.mark.acceptance


def _add(stack: Stack, name: str, *options: str) -> tuple[int, str]:
    done = stack.manage("add_stream", name, *options, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_missing_table_names_the_tables_there(
    stack: Stack, dynamodb_url: str, make_table: Callable[..., str]
) -> None:
    table = make_table()
    code, said = _add(
        stack, "near", "--table", f"{table}x", "--region", REGION, "--endpoint-url", dynamodb_url
    )
    assert code == 1
    assert f"no table {table}x" in said
    assert table in said.replace(f"{table}x", "")


def test_a_stream_that_is_off_gets_the_command_that_turns_it_on(
    stack: Stack, dynamodb_url: str, make_table: Callable[..., str]
) -> None:
    table = make_table(None)
    code, said = _add(
        stack, "off", "--table", table, "--region", REGION, "--endpoint-url", dynamodb_url
    )
    assert code == 1
    assert "aws dynamodb update-table" in said
    assert "StreamEnabled=true" in said


def test_an_endpoint_that_does_not_answer_is_named(stack: Stack) -> None:
    url = "http://127.0.0.1:9"
    code, said = _add(stack, "away", "--table", "orders", "--region", REGION, "--endpoint-url", url)
    assert code == 1
    assert url in said
    assert "does not answer" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--region", "Frankfurt"), "no AWS region"),
        (("--start", "tomorrow"), "latest, trim-horizon or a time"),
        (("--start", "2099-01-01"), "in the future"),
        (("--role-arn", "reader"), "no role ARN"),
        (("--endpoint-url", "localhost:8000"), "no endpoint URL"),
    ],
)
def test_a_malformed_option_is_explained(stack: Stack, options: tuple[str, ...], says: str) -> None:
    code, said = _add(stack, "malformed", "--table", "orders", *options)
    assert code == 1
    assert says in said


def test_nothing_is_saved_when_a_check_fails(stack: Stack) -> None:
    assert not {"near", "off", "away", "malformed"} & set(stack.status())


def test_a_name_is_given_once(
    stack: Stack, dynamodb_url: str, make_table: Callable[..., str]
) -> None:
    options = ("--table", make_table(), "--region", REGION, "--endpoint-url", dynamodb_url)
    assert _add(stack, "twice", *options)[0] == 0
    code, said = _add(stack, "twice", *options)
    assert code == 1
    assert "already exists" in said
