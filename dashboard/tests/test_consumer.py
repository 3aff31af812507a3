"""One connection's life: who may come in, what is answered, and when it ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from dashboard import consumers
from dashboard.asgi import application
from dashboard.feed.hub import Hub
from dashboard.tests.seeding import Shop, begin_feed, close_layer, in_store

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = b"http://127.0.0.1"


class Socket:
    """A browser's socket, with the user's session cookie. (channels.testing needs Daphne.)"""

    def __init__(self, client: Client | None = None, origin: bytes = ORIGIN) -> None:
        headers = [(b"origin", origin), (b"host", b"127.0.0.1")]
        if client:
            name = settings.SESSION_COOKIE_NAME
            cookie = SimpleCookie({name: client.cookies[name].value})
            headers.append((b"cookie", cookie.output(header="").strip().encode()))
        scope = {"type": "websocket", "path": "/ws/feed", "query_string": b"", "headers": headers}
        self.wire = ApplicationCommunicator(application, {**scope, "subprotocols": []})

    async def open(self) -> bool:
        await self.wire.send_input({"type": "websocket.connect"})
        event = await self.wire.receive_output(timeout=5)
        return bool(event["type"] == "websocket.accept")

    async def say(self, **message: Any) -> None:
        await self.say_text(json.dumps(message))

    async def say_text(self, text: str) -> None:
        await self.wire.send_input({"type": "websocket.receive", "text": text})

    async def hear(self, type_: str) -> dict[str, Any]:
        """The next frame of this type."""
        while True:
            event = await self.wire.receive_output(timeout=5)
            frame: dict[str, Any] = json.loads(event["text"])
            if frame["type"] == type_:
                return frame

    async def close_code(self) -> int:
        while True:
            event = await self.wire.receive_output(timeout=5)
            if event["type"] == "websocket.close":
                return int(event["code"])

    async def leave(self) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wire.wait(timeout=5)


@pytest.fixture(autouse=True)
async def own_hub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    hub = Hub()
    monkeypatch.setattr(consumers, "hub", hub)
    yield hub
    for viewer in list(hub.viewers):
        hub.leave(viewer)
    hub.reader.stop(wait=True)
    hub.past.stop(wait=True)
    await close_layer(hub)


@pytest.fixture
async def bobs_client() -> Client:
    return await in_store(_client)


def _client() -> Client:
    begin_feed()
    client = Client()
    client.force_login(User.objects.create_user("bob"))
    return client


@pytest.fixture
async def socket(bobs_client: Client) -> AsyncIterator[Socket]:
    socket = Socket(bobs_client)
    assert await socket.open()
    yield socket
    await socket.leave()


async def test_nobody_who_is_not_logged_in() -> None:
    socket = Socket()
    assert await socket.open()
    assert await socket.close_code() == 4401


async def test_no_page_of_a_foreign_origin(bobs_client: Client) -> None:
    assert not await Socket(bobs_client, origin=b"http://evil.example").open()


async def test_it_answers_a_subscription_and_sends_changes(socket: Socket) -> None:
    shop = await in_store(Shop)
    await socket.say(type="sub", epoch=3, cursor="0.0", streams=["orders"])
    assert (await socket.hear("ready"))["epoch"] == 3
    await in_store(shop.write_many, 2)
    batch = await socket.hear("batch")
    assert (batch["epoch"], batch["n"], len(batch["rows"])) == (3, 1, 2)


async def test_it_says_what_is_wrong_with_a_subscription(socket: Socket) -> None:
    for wrong, said in (
        ({"rows_per_second": 700}, "rows_per_second=700 must be 500 or 2000."),
        ({"cols": ["status"]}, "'status' is no column. Write new.status"),
        ({"cols": ["new.a"] * 9}, "at most 8"),
        ({"cols": ['new."a']}, "closing"),
    ):
        await socket.say(type="sub", epoch=1, **wrong)
        assert said in (await socket.hear("error"))["text"]


async def test_it_sends_what_was_chosen(socket: Socket) -> None:
    shop = await in_store(Shop, "orders", ignored_fields=["status"])
    await socket.say(type="sub", epoch=1, cursor="0.0", cols=["new.status"], noise=True)
    await socket.hear("ready")
    await in_store(shop.write_many, 1)
    assert (await socket.hear("batch"))["rows"][0][-1] == ["paid"]
    await socket.say(type="sub", epoch=2, cursor="0.0", rows_per_second=2000)
    assert (await socket.hear("ready"))["limits"]["rows"] == 500
    while (await socket.hear("stats"))["noise"] != 1:
        pass


async def test_a_stream_that_does_not_exist_closes(socket: Socket) -> None:
    await socket.say(type="sub", epoch=1, cursor="now", streams=["secret"])
    assert "'secret'" in (await socket.hear("error"))["text"]
    assert await socket.close_code() == 4403


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type":"sub","epoch":1,"cursor":"x"}'])
async def test_it_survives_nonsense(socket: Socket, text: str) -> None:
    await socket.say_text(text)
    await socket.wire.send_input({"type": "websocket.receive", "bytes": b"\0"})
    await socket.say(type="later-invention")
    await socket.say(type="sub", epoch=1)
    assert (await socket.hear("ready"))["epoch"] == 1


async def test_it_speaks_every_second(socket: Socket) -> None:
    assert (await socket.hear("stats"))["unseen"] == 0


async def test_pause_and_resume(socket: Socket) -> None:
    shop = await in_store(Shop)
    await socket.say(type="sub", epoch=1, cursor="0.0")
    await socket.hear("ready")
    await socket.say(type="pause")
    await in_store(shop.write_many, 2)
    while (await socket.hear("stats"))["unseen"] != 2:
        pass
    await socket.say(type="resume", epoch=2, cursor="0.0")
    assert (await socket.hear("batch"))["epoch"] == 2


async def test_one_socket_too_many_is_told_so(
    socket: Socket, bobs_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MOST_SOCKETS", 1)
    second = Socket(bobs_client)
    assert await second.open()
    assert await second.close_code() == 4429


async def test_silence_closes(bobs_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "SILENCE_SECONDS", 0.01)
    socket = Socket(bobs_client)
    assert await socket.open()
    assert await socket.close_code() == 4408


@pytest.mark.parametrize("how", ["deactivated", "logged out"])
async def test_whoever_may_not_look_any_more_is_sent_away(
    bobs_client: Client, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(consumers, "SILENCE_SECONDS", 0.01)
    monkeypatch.setattr(consumers, "ACCESS_SECONDS", 0.01)
    socket = Socket(bobs_client)
    await socket.open()
    await socket.say(type="sub", epoch=1)
    await socket.hear("ready")
    if how == "deactivated":
        await in_store(User.objects.update, is_active=False)
    else:
        await in_store(bobs_client.logout)
    assert await socket.close_code() == 4401


async def test_a_closed_socket_leaves_the_hub(bobs_client: Client, own_hub: Hub) -> None:
    socket = Socket(bobs_client)
    await socket.open()
    await socket.say(type="sub", epoch=1)
    await socket.hear("ready")
    assert len(own_hub.viewers) == 1
    await socket.leave()
    async with asyncio.timeout(5):
        while own_hub.viewers:
            await asyncio.sleep(0.005)
