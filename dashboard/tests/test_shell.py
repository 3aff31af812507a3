"""What is around every page: navigation, the search of the top bar, choices, and error pages."""

import logging
from collections.abc import Callable
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote_plus

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from dashboard import env
from dashboard.logs import WithRequestId
from dashboard.tests.seeding import Shop, all_well, order
from dashboard.views import failed
from dashboard.views.go import place_of
from streams.models import Alert, Problem
from streams.testing.factories import make_stream

pytestmark = pytest.mark.django_db

Get = Callable[..., str]


def problems(count: int) -> None:
    now = timezone.now()
    Problem.objects.bulk_create(
        Problem(fingerprint=f"0:test:{n}", kind="test", first_seen=now, last_seen=now)
        for n in range(count)
    )


def test_open_problems_are_counted_in_the_title_and_the_navigation(page_of: Get) -> None:
    assert "<title>Overview" in page_of("/")
    problems(2)
    page = page_of("/")
    assert "<title>(2) Overview" in page and "favicon-bad" in page
    assert "<span data-problems>2</span>" in page


def alerts(count: int) -> None:
    now = timezone.now()
    Alert.objects.bulk_create(
        Alert(rule_name="r", rule_version=1, kind="match", opened_at=now, last_at=now, group=str(n))
        for n in range(count)
    )


def test_open_alerts_have_a_badge_of_their_own(page_of: Get) -> None:
    problems(1)
    alerts(2)
    Alert.objects.create(
        **dict.fromkeys(("opened_at", "last_at"), timezone.now()),
        **{"rule_name": "r", "rule_version": 1, "kind": "match", "state": "resolved"},
    )
    page = page_of("/")
    assert "<title>(3) Overview" in page
    assert "<span data-problems>1</span>" in page and "<span data-alerts>2</span>" in page


def test_many_problems_are_not_counted_to_the_end(page_of: Get) -> None:
    problems(120)
    alerts(70)
    page = page_of("/")
    assert "<title>(99+) Overview" in page and "<span data-alerts>70</span>" in page


def test_the_shell_asks_for_each_number_once(client: Client, bob: User) -> None:
    client.force_login(bob)
    client.get("/search")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get("/search")
    asked = [query["sql"] for query in queries]
    assert sum("streams_problem" in sql for sql in asked) == 1
    assert sum("streams_alert" in sql for sql in asked) == 1


def test_the_environment_is_shown(page_of: Get, settings: Settings) -> None:
    assert "Environment:" not in page_of("/")
    settings.ENVIRONMENT = "production"
    page = page_of("/")
    assert "Environment: </span>production" in page and "production · Deltawatch</title>" in page


def test_a_long_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELTAWATCH_ENVIRONMENT", "x" * 25)
    with pytest.raises(env.EnvError, match="at most 24 letters"):
        env.label("DELTAWATCH_ENVIRONMENT")


def test_choices_are_kept_without_scripts(client: Client, bob: User) -> None:
    client.force_login(bob)
    given = {"theme": "dark", "density": "compact", "times": "nonsense", "back": "/search?q=x"}
    response = client.post("/display", given)
    assert response.headers["Location"] == "/search?q=x"
    assert {name for name in client.cookies if name.startswith("deltawatch_")} >= {
        "deltawatch_theme",
        "deltawatch_density",
    }
    assert "deltawatch_times" not in client.cookies
    page = client.get("/search").content.decode()
    assert 'data-theme="dark"' in page and 'data-density="compact"' in page


def test_choices_lead_to_no_other_site(client: Client, bob: User) -> None:
    client.force_login(bob)
    for back in ("//evil.example/", "https://evil.example/", ""):
        assert client.post("/display", {"back": back}).headers["Location"] == "/"


def test_the_pulse_tells_what_is_wrong(client: Client, bob: User, shop: Shop) -> None:
    assert client.get("/pulse").status_code == 401
    client.force_login(bob)
    none = {"open": "", "problems": "", "alerts": ""}
    assert client.get("/pulse").json() == {**none, "bad": True}  # no worker
    all_well()
    problems(1)
    alerts(2)
    some = {"open": "3", "problems": "1", "alerts": "2"}
    assert client.get("/pulse").json() == {**some, "bad": False}


# Where the search of the top bar goes ------------------------------------------------------


def query_of(text: str) -> str:
    """The filter of the search that a text leads to."""
    place, _, query = place_of(text).partition("?q=")
    assert place == "/search"
    return unquote_plus(query)


def test_a_change_id_goes_to_the_change(client: Client, bob: User, shop: Shop) -> None:
    change = shop.insert("4711", order("new"))
    assert place_of(change.id) == f"/changes/{change.id}"
    client.force_login(bob)
    assert client.get("/go", {"q": f" {change.id} "}).headers["Location"] == f"/changes/{change.id}"


def test_a_stream_goes_to_its_page_however_it_is_spelled(shop: Shop) -> None:
    make_stream("Orders")
    assert place_of("orders") == "/streams/orders"
    assert place_of("Orders") == "/streams/Orders"
    assert place_of("ORDERS") in ("/streams/orders", "/streams/Orders")


@pytest.mark.parametrize("key", ['{"pk": {"S": "4711"}}', '{"pk": "4711"}', '{"pk":4711}'])
def test_a_key_with_a_history_goes_to_the_item(shop: Shop, key: str) -> None:
    shop.insert("4711", order("new"))
    if key == '{"pk":4711}':  # a number is no text: it is searched
        assert query_of(key) == 'keys."pk":4711'
    else:
        assert place_of(key) == f"/items/orders/{shop.token('4711')}"


def test_a_key_in_two_streams_is_searched(shop: Shop) -> None:
    shop.insert("4711", order("new"))
    Shop("stock").insert("4711", order("new"))
    assert query_of('{"pk": "A 1"}') == 'keys."pk":"A 1"'
    assert query_of('{"pk": {"S": "4711"}}') == 'keys."pk":4711'


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("ORD#4711", 'key:"ORD#4711"'),
        ("two words", 'key:"two words"'),
        ("4711", "key:4711"),
        ("1-1", 'key:"1-1"'),  # spelled like a change, but there is none
        ('"quoted"', 'key:"quoted"'),
        ("op:REMOVE new.total>100", "op:REMOVE new.total>100"),
        ("tabel:orders", "tabel:orders"),  # the search says what is wrong with it
        ('{"new": {"total": [{"numeric": [">", 1]}]}}',) * 2,
        ('{"pk": ',) * 2,
        ("[" * 5000,) * 2,
    ],
)
def test_anything_else_is_searched(shop: Shop, text: str, query: str) -> None:
    assert query_of(text) == (query if not text.startswith("[") else f'key:"{text}"')


def test_nothing_goes_to_the_search(shop: Shop) -> None:
    assert place_of("") == "/search"


# When something fails ----------------------------------------------------------------------


def failing(client: Client, user: User, error: type[Exception]) -> Any:
    client.force_login(user)
    client.raise_request_exception = False
    with patch("dashboard.views.overview.statuses", side_effect=error):
        return client.get("/?filter=orders")


def test_an_error_page_says_what_since_when_and_under_which_name(
    client: Client, alice: User
) -> None:
    response = failing(client, alice, ZeroDivisionError)
    page = response.content.decode()
    assert response.status_code == 500
    assert "its program failed" in page and response.headers["X-Request-ID"] in page
    assert 'href="/?filter=orders">Retry' in page
    first = page.split("fails since")[1].split("<time")[1].split(">")[0]
    again = failing(client, alice, ZeroDivisionError).content.decode()
    assert first in again.split("fails since")[1]


def test_a_page_that_worked_again_fails_anew(client: Client, alice: User) -> None:
    failing(client, alice, ZeroDivisionError)
    assert "overview" in failed._failing_since
    client.get("/")
    assert "overview" not in failed._failing_since


def test_an_error_page_names_the_database(client: Client, alice: User) -> None:
    page = failing(client, alice, DatabaseError).content.decode()
    assert "its database does not answer" in page


def test_what_is_not_found_or_not_allowed_has_a_name_and_a_way_on(page_of: Get) -> None:
    page = page_of("/nowhere/<b>", status=404)
    assert "There is no page at" in page and "&lt;b&gt;" in page and "Request" in page
    page = page_of("/live?stream=nope", status=404)
    assert "no stream “nope”" in page and "Retry" in page


def test_a_request_keeps_the_name_a_proxy_gave_it(client: Client) -> None:
    given = client.get("/log-in", headers={"X-Request-ID": "4bf92f3577b34da6"})
    assert given.headers["X-Request-ID"] == "4bf92f3577b34da6"
    for odd in ("short", "x" * 65, "new\nline-12345", "a b c d e f g"):
        answer = client.get("/log-in", headers={"X-Request-ID": odd})
        assert answer.headers["X-Request-ID"] != odd


def test_log_lines_have_the_request(client: Client, alice: User) -> None:
    seen: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(f"{record.levelname}{record.request_id}: {record.getMessage()}")  # type: ignore[attr-defined]

    handler = Keep()
    handler.addFilter(WithRequestId())
    logging.getLogger("django.request").addHandler(handler)
    try:
        response = failing(client, alice, ZeroDivisionError)
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert any(line.startswith(f"ERROR [{response.headers['X-Request-ID']}]") for line in seen)
