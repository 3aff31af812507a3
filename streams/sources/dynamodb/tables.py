"""Which tables there are, and whether each can be watched: for the start page.

Called only when somebody presses a button, with short time-outs: a page waits for it.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from streams.errors import SourceError, SourceRefused, SourceUnavailable
from streams.sources.base import Description
from streams.sources.dynamodb.client import Client
from streams.sources.dynamodb.options import DynamoDBOptions
from streams.sources.dynamodb.policy import LISTING
from streams.sources.dynamodb.shards import describe, description_of, part_of, turn_off, turn_on

# One page of ListTables: whoever has more names the table.
MOST = 100
_CONNECT_SECONDS, _READ_SECONDS = 2, 4
# All tables together; what is not known by then is said to be unknown.
_ALL_SECONDS = 8
_AT_ONCE = 8


@dataclass(frozen=True)
class FoundTable:
    """`kind` is "" if it can be watched, else that of the problem, with sentence and fix.
    `turn_on` and `turn_off` are the commands for its stream."""

    name: str
    arn: str = ""
    view_type: str = ""
    kind: str = ""
    sentence: str = ""
    fix: str = ""
    turn_on: str = ""
    turn_off: str = ""


@dataclass(frozen=True)
class Found:
    """`credentials` is where boto3's chain found them, "" for a stand-in's; no secret is in it."""

    region: str
    credentials: str
    tables: list[FoundTable]
    more: bool = False


def find_tables(given: Mapping[str, Any]) -> Found:
    """The first hundred tables of a place (region, endpoint_url, role_arn), each as it is.

    SourceError if they cannot be listed; a table that cannot be described is in the list, with
    why.
    """
    options = DynamoDBOptions.of_place(given)
    with closing(_client(options)) as client:
        try:
            answer = client.call("dynamodb", "ListTables", {"Limit": MOST})
        except SourceRefused as error:
            raise _unlisted(error) from error
        names = part_of(answer, "TableNames")
        if not isinstance(names, list):
            raise SourceUnavailable("The answer is none of DynamoDB's.", "Check the endpoint URL.")
        more = b'"LastEvaluatedTableName"' in answer
        tables = _look_at(client, options, [str(name) for name in names[:MOST]])
        return Found(client.region, client.credentials_from, tables, more)


def find_table(given: Mapping[str, Any]) -> Found:
    """One table by its name or ARN; needs no permission to list. SourceError if nothing can be
    asked at all."""
    options = DynamoDBOptions.of(given)
    with closing(_client(options)) as client:
        table = _found(lambda: describe(client, options), options, client.region)
        return Found(client.region, client.credentials_from, [table])


def _client(options: DynamoDBOptions) -> Client:
    return Client(options, connect_seconds=_CONNECT_SECONDS, read_seconds=_READ_SECONDS)


def _unlisted(error: SourceRefused) -> SourceError:
    if error.kind != "access-denied" or LISTING not in error.sentence:
        return error
    return SourceRefused(
        error.sentence,
        f"Only this list needs {LISTING}; reading does not. Name the table instead.",
        kind="access-denied",
    )


def _look_at(client: Client, options: DynamoDBOptions, names: list[str]) -> list[FoundTable]:
    """Each table, in the order of the names; asked a few at a time, and not for ever."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tables")
    ends = time.monotonic() + _ALL_SECONDS
    try:
        asked = [pool.submit(_describe, client, replace(options, table=name)) for name in names]
        wait(asked, timeout=max(0.0, ends - time.monotonic()))
        return [_result(name, future) for name, future in zip(names, asked, strict=True)]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _result(name: str, future: "Future[FoundTable]") -> FoundTable:
    if future.done():
        return future.result()
    return FoundTable(
        name,
        kind="unreachable",
        sentence=f"Table {name} was not described in time.",
        fix="Look again, or name this table alone.",
    )


def _describe(client: Client, options: DynamoDBOptions) -> FoundTable:
    def ask() -> Description:
        answer = client.call("dynamodb", "DescribeTable", {"TableName": options.table})
        return description_of(part_of(answer, "Table"), options, client.region)

    return _found(ask, options, client.region)


def _found(ask: Callable[[], Description], options: DynamoDBOptions, region: str) -> FoundTable:
    commands = {"turn_on": turn_on(options, region), "turn_off": turn_off(options, region)}
    try:
        known = ask()
    except SourceError as error:
        return FoundTable(
            options.table, kind=error.kind, sentence=error.sentence, fix=error.fix, **commands
        )
    return FoundTable(options.table, known.arn, known.view_type, **commands)
