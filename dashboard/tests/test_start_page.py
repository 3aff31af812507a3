"""The first run, from credentials to the first change: on DynamoDB Local, and on the simulated
service for what AWS refuses."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from conftest import REGION
from dashboard.tests.seeding import Shop, begin_feed, order
from streams.models import Stream
from streams.sources.dynamodb import client as client_module
from streams.sources.dynamodb.tables import MOST
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.server import serving
from streams.testing.simulated.service import Service
from streams.testing.simulated.world import World

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has is none of these tests' business."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def service() -> Iterator[Service]:
    world = World()
    world.create_table("orders")
    yield Service(world)


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    with serving(service) as address:
        yield address


def look(client: Client, **place: str) -> str:
    response = client.post("/start/look", place, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def watch(client: Client, status: int = 200, /, **given: str) -> str:
    given = {"name": given["table"], "start": "latest", **given}
    response = client.post("/start/watch", given, follow=True)
    assert response.status_code == status
    return response.content.decode()


def test_loading_the_page_asks_nobody(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the source was asked")

    monkeypatch.setattr(client_module.Client, "view", refuse)
    page = admin.get("/start").content.decode()
    assert "Look for tables" in page and "make demo" in page
    assert "AWS_ACCESS_KEY_ID" in page
    assert "hx-get" not in admin.get("/start/streams").content.decode()


def test_no_credentials_are_said_in_words(admin: Client) -> None:
    page = look(admin, region=REGION)
    assert "No AWS credentials were found." in page and "AWS_PROFILE" in page


def test_no_region_is_said_in_words(admin: Client) -> None:
    assert "No AWS region is known." in look(admin)


def test_a_wrong_place_is_said_in_words(admin: Client) -> None:
    assert "is no AWS region" in look(admin, region="Mars!")
    assert "is no endpoint URL" in look(admin, region=REGION, endpoint_url="ftp://x")
    page = look(admin, region=REGION, endpoint_url="http://127.0.0.1:9")
    assert "does not answer" in page and "Check the endpoint URL" in page


def test_credentials_are_named_and_never_shown(
    admin: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-indeed")
    page = look(admin, region=REGION, endpoint_url=url)
    assert "Found in environment variables" in page
    assert "AKIAEXAMPLE" not in page and "very-secret" not in page
    assert "very-secret" not in str(dict(admin.session))


def test_from_tables_to_the_first_change(
    admin: Client, dynamodb_url: str, make_table: Callable[..., str]
) -> None:
    on, off = make_table(), make_table(view_type=None)
    keys = make_table(view_type="KEYS_ONLY")
    page = look(admin, region=REGION, endpoint_url=dynamodb_url)
    assert "A stand-in needs none" in page
    assert f"aws dynamodb update-table --table-name {off} --region {REGION}" in page
    assert f"--endpoint-url {dynamodb_url}" in page
    assert f"Tables → {off} → Exports and streams" in page
    assert "values are not in the stream" in page and "StreamEnabled=false" in page
    assert page.count(">Watch this table<") >= 2 and keys in page
    page = watch(admin, table=on, region=REGION, endpoint_url=dynamodb_url)
    assert f"{on} is watched from now on." in page and "Waiting for the first change" in page
    assert f'href="/streams/{on}"' in page and 'hx-trigger="every 2s"' in page
    assert Stream.objects.get().start == "latest"
    page = look(admin, region=REGION, endpoint_url=dynamodb_url)
    assert "Watched</span> as" in page


def test_one_table_by_its_name_or_arn(admin: Client, url: str) -> None:
    page = look(admin, table="orders", region=REGION, endpoint_url=url)
    assert "Watch this table" in page
    arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/orders"
    assert "Watch this table" in look(admin, table=arn, endpoint_url=url)
    page = look(admin, table="ordres", region=REGION, endpoint_url=url)
    assert "There is no table" in page or "is not in" in page


def test_a_list_that_is_denied_asks_for_the_name(admin: Client, service: Service, url: str) -> None:
    service.faults.add(Fault("denied", ("ListTables",)))
    page = look(admin, region=REGION, endpoint_url=url)
    assert "Only this list needs dynamodb:ListTables" in page and "dynamodb:GetRecords" in page
    assert "Watch this table" in look(admin, table="orders", region=REGION, endpoint_url=url)


def test_a_denied_table_shows_its_policy(admin: Client, service: Service, url: str) -> None:
    service.world.create_table("stock")
    service.faults.add(Fault("denied", ("DescribeTable",), table="stock"))
    page = look(admin, region=REGION, endpoint_url=url)
    assert page.count(">Watch this table<") == 1
    assert "Access denied</span>" in page and "Allow dynamodb:DescribeTable" in page
    assert f"arn:aws:dynamodb:{REGION}:*:table/stock/stream/*" in page


@pytest.mark.parametrize("operation", ["DescribeStream", "GetShardIterator", "GetRecords"])
def test_what_reading_lacks_is_named_before_anything_is_saved(
    admin: Client, service: Service, url: str, operation: str
) -> None:
    look(admin, region=REGION, endpoint_url=url)
    service.faults.add(Fault("denied", (operation,)))
    page = watch(admin, 400, table="orders", region=REGION, endpoint_url=url)
    assert "It is not watched" in page and f"Allow dynamodb:{operation}" in page
    assert f"arn:aws:dynamodb:{REGION}:123456789012:table/orders/stream/*" in page
    assert not Stream.objects.exists()


def test_throttling_and_a_wrong_region_are_said_in_words(
    admin: Client, service: Service, url: str
) -> None:
    service.faults.add(Fault("throttling", ("ListTables",), most=1))
    assert "ThrottlingException" in look(admin, region=REGION, endpoint_url=url)
    service.faults.add(Fault("wrong-region", ("ListTables",), most=1))
    page = look(admin, region=REGION, endpoint_url=url)
    assert "The region does not fit the endpoint" in page


def test_a_slow_table_does_not_hold_the_page(
    admin: Client, service: Service, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.sources.dynamodb.tables._ALL_SECONDS", 0.5)
    service.world.create_table("slow")
    service.faults.add(Fault("slow", ("DescribeTable",), table="slow", seconds=60))
    page = look(admin, region=REGION, endpoint_url=url)
    assert "Table slow was not described in time." in page
    assert page.count(">Watch this table<") == 1


def test_more_than_a_hundred_tables_are_said_to_be_more(
    admin: Client, service: Service, url: str
) -> None:
    for number in range(MOST):
        service.world.create_table(f"table-{number:03}")
    page = look(admin, region=REGION, endpoint_url=url)
    assert f"There are more than {MOST} tables" in page
    assert len(re.findall('id="table-', page)) == MOST


def test_no_table_at_all(admin: Client, service: Service, url: str) -> None:
    service.world.delete_table("orders")
    assert f"There is no table in <code>{REGION}</code>" in look(
        admin, region=REGION, endpoint_url=url
    )


def test_something_else_at_the_endpoint(admin: Client, url: str, service: Service) -> None:
    service.faults.add(Fault("unavailable", ("ListTables",)))
    assert "503" in look(admin, region=REGION, endpoint_url=url)


def test_a_name_that_is_taken(admin: Client, url: str) -> None:
    place = {"region": REGION, "endpoint_url": url}
    look(admin, **place)
    watch(admin, table="orders", **place)
    page = watch(admin, 400, table="orders", **place)
    assert "already exists" in page
    assert "required" in watch(admin, 400, table="orders", **(place | {"name": ""}))


def test_the_first_change_is_linked(page_of: Get) -> None:
    begin_feed()
    shop = Shop()
    assert "Waiting for the first change" in page_of("/start")
    change = shop.insert("4711", order("new"))
    shop.insert("4712", order("new"))
    part = page_of("/start/streams")
    assert "First change seen" in part and f'/changes/{change.id}"' in part
    assert "/live?stream=orders" in part and "hx-get" not in part


def test_who_may_not_add_is_told_what_to_ask_for(client: Client, bob: User, url: str) -> None:
    client.force_login(bob)
    page = client.get("/start").content.decode()
    assert "streams.add_stream" in page and "/start/look" not in page
    place = {"table": "orders", "region": REGION, "endpoint_url": url}
    for path in ("/start/look", "/start/watch"):
        assert client.post(path, place).status_code == 403
    assert client.get("/start/look").status_code == 405
    bob.user_permissions.add(Permission.objects.get(codename="add_stream"))
    assert "is watched from now on" in watch(client, **place)
