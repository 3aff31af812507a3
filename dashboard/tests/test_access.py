"""Who gets in, and what a page may load."""

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory

from dashboard.access import POLICY, LoginRequired
from dashboard.tests.seeding import Shop, order
from dashboard.views.health import healthz

pytestmark = pytest.mark.django_db

PAGES = [
    *("/", "/overview/table", "/live", "/changes/1-1", "/items/orders/x", "/admin/"),
    *("/rules", "/rules/new", "/rules/1", "/alerts", "/alerts/1", "/quiet", "/quiet/mutes/new"),
    *("/destinations", "/destinations/1", "/noise", "/drift"),
]
API = ["/api/v1/changes", "/api/v1/changes/1-1", "/api/v1/streams", "/api/v1/alerts"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_sends_a_stranger_to_the_log_in(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(("/log-in?next=", "/admin/login/?next="))


@pytest.mark.parametrize("path", API)
def test_the_api_tells_a_stranger_in_json(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "login-required"


def test_nothing_of_a_change_reaches_a_stranger(client: Client, shop: Shop) -> None:
    change = shop.insert("secret-key", order("secret-status"))
    for path in (f"/changes/{change.id}", f"/api/v1/changes/{change.id}", "/live"):
        assert "secret" not in client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/", "/live", "/log-in", "/healthz", "/nowhere", "/admin/"])
def test_every_answer_has_the_strict_policy(client: Client, alice: User, path: str) -> None:
    client.force_login(alice)
    headers = client.get(path, follow=True).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("path", ["/", "/live", "/log-in"])
def test_no_page_has_inline_script_or_style(client: Client, path: str) -> None:
    client.force_login(User.objects.create_user("viewer"))
    page = client.get(path).content.decode()
    assert "style=" not in page and "<style" not in page and "onclick" not in page
    assert "<script>" not in page


def test_logging_in_leads_to_the_page_that_was_asked_for(client: Client, bob: User) -> None:
    form = {"username": "bob", "password": "sesame", "next": "/live?stream=a"}
    assert client.post("/log-in", form)["Location"] == "/live?stream=a"


def test_logging_in_leads_to_no_other_host(client: Client, bob: User) -> None:
    form = {"username": "bob", "password": "sesame", "next": "https://evil.example/"}
    assert client.post("/log-in", form)["Location"] == "/"


def test_a_wrong_password_is_told(client: Client, bob: User) -> None:
    page = client.post("/log-in", {"username": "bob", "password": "x"}).content.decode()
    assert "do not match" in page and 'aria-invalid="true"' in page


def test_a_part_of_a_page_asked_after_log_out_reloads_the_page(client: Client) -> None:
    response = client.get("/overview/table", headers={"HX-Request": "true"}, follow=True)
    assert response.headers["HX-Refresh"] == "true"


def test_healthz_does_not_ask_whose_session_it_is(client: Client, bob: User) -> None:
    client.force_login(bob)
    request = RequestFactory().get("/healthz")
    request.user = None  # type: ignore[assignment]  # asking it would fail
    middleware = LoginRequired(lambda request: HttpResponse())
    assert middleware.process_view(request, healthz, (), {}) is None


def test_logging_out_needs_a_post(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/log-out").status_code == 405
    assert client.post("/log-out")["Location"] == "/log-in"


def test_a_form_without_its_token_is_refused_in_the_same_look(bob: User) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/log-in", {"username": "bob", "password": "sesame"})
    assert response.status_code == 403
    assert "The form has expired" in response.content.decode()


def test_a_viewer_may_not_enter_the_admin(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/admin/streams/stream/").status_code == 302
    assert "Admin" not in client.get("/").content.decode()
