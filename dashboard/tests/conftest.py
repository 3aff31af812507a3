"""Fixtures for the pages, the feed, and a real browser in front of a real server."""

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django import Settings

from conftest import ROOT, skip_or_fail, wait_for
from dashboard.launch.home import unused_port
from dashboard.tests.seeding import Shop, begin_feed

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Playwright's own list, which a second one replaces; and the pop-ups of the address bar, which
# Chromium prepares for every window at three times the price of the window.
_LEFT_OUT = (
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "OptimizationHints", "NetworkTimeServiceQuerying"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "AimEnabled", "PreconnectToSearch"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
)
_SWITCHES = [
    f"--disable-features={','.join(_LEFT_OUT)}",
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Pages are made without collected files; the browser tests collect them."""
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db: None) -> User:
    """She may do everything."""
    return User.objects.create_superuser("alice", password="sesame")


@pytest.fixture
def bob(db: None) -> User:
    """He may look."""
    return User.objects.create_user("bob", password="sesame")


@pytest.fixture
def page_of(client: Client, bob: User) -> Callable[..., str]:
    """The text of a page, as Bob sees it."""
    client.force_login(bob)

    def get(path: str, status: int = 200, **query: Any) -> str:
        response = client.get(path, query)
        assert response.status_code == status
        return response.content.decode()

    return get


@pytest.fixture
def shop(db: None) -> Shop:
    begin_feed()
    return Shop()


@pytest.fixture(scope="session")
def web_environment(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """For a web process on the tests' database, with collected static files."""
    database = urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ,
        "DELTAWATCH_HOME": str(tmp_path_factory.mktemp("web")),
        "DELTAWATCH_SECRET_KEY": django_settings.SECRET_KEY,
        "DATABASE_URL": database._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "DELTAWATCH_LOG_LEVEL": "WARNING",
    }
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0", "-i", "ext"]
    subprocess.run(collect, cwd=ROOT, env=environment, check=True)
    return environment


@contextmanager
def serving(environment: dict[str, str], port: int, lifespan: str = "off") -> Iterator[str]:
    """The address of a uvicorn that runs meanwhile; with `lifespan` on it has a watchman."""
    command = [sys.executable, "-m", "uvicorn", "dashboard.asgi:application"]
    command += ["--lifespan", lifespan, "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=ROOT, env={**environment, "PORT": str(port)})
    try:
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/healthz"), what="the web server")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def web_server(web_environment: dict[str, str]) -> Iterator[str]:
    with serving(web_environment, unused_port()) as address:
        yield address


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5)  # noqa: S310 - our own server
    except urllib.error.HTTPError:
        return True  # 503: no worker in these tests
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium for the tests of one file: while it runs there is an event loop in this thread,
    which the tests of other files may not meet."""
    if not shutil.which(CHROMIUM):
        skip_or_fail(f"Chromium is not installed at {CHROMIUM} (apt-get install chromium).")
    unsafe = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    # That loop makes Django think its ORM is called from a coroutine.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=20_000)  # a busy machine is no failure
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_SWITCHES)
        yield browser
        browser.close()
    if unsafe is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_context(
    transactional_db: None, chromium: Browser, web_server: str, client: Client
) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser profiles in which somebody is logged in; all must stay free of errors and
    of requests to other hosts."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []
    host = urlsplit(web_server).netloc

    def open_(user: User | None = None, **options: Any) -> BrowserContext:
        context = chromium.new_context(base_url=web_server, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        context.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        context.on(
            "request",
            lambda r: wrong.append(r.url) if urlsplit(r.url).netloc not in (host, "") else None,
        )
        if user:
            client.force_login(user)
            name = django_settings.SESSION_COOKIE_NAME
            cookie = {"name": name, "value": client.cookies[name].value, "url": web_server}
            context.add_cookies([cookie])  # type: ignore[list-item]
        return context

    open_.wrong = wrong  # type: ignore[attr-defined]
    yield open_
    for context in contexts:
        context.close()
    assert not wrong, wrong


@pytest.fixture
def page(open_context: Callable[..., BrowserContext], alice: User) -> Page:
    """A page of Alice's browser."""
    return open_context(alice).new_page()
