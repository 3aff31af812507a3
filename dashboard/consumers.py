"""One connection's life: who may come in, what the browser says, and when it must end.

No queries but access; what is sent is decided in `feed/subscriptions.py`.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import msgspec
from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db.utils import Error as DatabaseError

from dashboard import access
from dashboard.feed import columns, cursors, protocol
from dashboard.feed.hub import hub
from dashboard.feed.selection import Selection
from dashboard.feed.subscriptions import Subscriber
from streams.queries.feed import Cursor
from streams.rules import compile_text

log = logging.getLogger(__name__)

# A browser with more tabs than this is told so, instead of taking the others' share.
MOST_SOCKETS = 10
ACCESS_SECONDS = 60.0
# Nobody opens a socket to say nothing.
SILENCE_SECONDS = 15.0
_LONGEST_MESSAGE = 32 * 1024


class FeedConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    # No channel of its own: nothing is sent to single sockets, and a layer that is away (Redis
    # restarting) must not keep a browser out. The hub listens for all.
    channel_layer_alias = "none"

    subscriber: Subscriber | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels' own visits a thread for every message, to close old connections. Here most
        # messages are acknowledgements, which touch no database; and the calls that do
        # (database_sync_to_async) close theirs themselves.
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        # Accepted first: a browser is told the close code only of a socket that was open.
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(protocol.LOG_IN)
            return
        if hub.sockets_of(user.pk) >= MOST_SOCKETS:
            await self.close(protocol.TOO_MANY)
            return
        self.subscriber = Subscriber(hub, user.pk, self.send)
        hub.join(self.subscriber)
        self.tasks = [
            asyncio.create_task(self._serve(self.subscriber)),
            asyncio.create_task(self._watch(self.subscriber)),
        ]

    async def disconnect(self, code: int) -> None:
        if self.subscriber:
            hub.leave(self.subscriber)
            for task in self.tasks:
                task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.subscriber or not text_data or len(text_data) > _LONGEST_MESSAGE:
            return
        try:
            await self._obey(self.subscriber, protocol.decode(text_data))
        except msgspec.ValidationError as error:
            log.debug("A message of a newer or foreign client was ignored: %s", error)
        except (ValueError, msgspec.DecodeError) as error:
            await self._say("error", "bad-message", str(error))
        except DatabaseError:
            await self._say("error", "store", "The store does not answer; the page tries again.")

    async def _obey(self, subscriber: Subscriber, request: protocol.Request) -> None:
        match request:
            case protocol.Sub():
                await self._subscribe(subscriber, request)
            case protocol.Resume():
                cursor = _cursor(request.cursor)
                await subscriber.resume(request.epoch, cursor, skip=request.skip)
            case protocol.Ack():
                subscriber.acknowledge(request.n)
            case protocol.Pause():
                subscriber.pause()
            case protocol.Visibility():
                subscriber.see(request.visible)

    async def _subscribe(self, subscriber: Subscriber, request: protocol.Sub) -> None:
        cursor, selection = _cursor(request.cursor), _selection(request)
        if request.streams is not None:
            streams = await database_sync_to_async(access.visible_streams)(request.streams)
            if missing := [name for name in request.streams if name not in streams]:
                text = f"There is no stream {missing[0]!r} that you may see."
                await self._say("error", "no-access", text)
                await self.close(protocol.NO_ACCESS)
                return
            selection = replace(selection, streams=streams)
        await subscriber.subscribe(request.epoch, selection, cursor)

    async def _say(self, type_: Any, code: str, text: str) -> None:
        message: protocol.Problem = {"type": type_, "code": code, "text": text}
        await self.send(protocol.encode(message))

    async def _serve(self, subscriber: Subscriber) -> None:
        try:
            await subscriber.run()
        except OSError:
            log.debug("A viewer went away in the middle of a frame.")

    async def _watch(self, subscriber: Subscriber) -> None:
        """End the socket of somebody who may not see this any more, or who never asks."""
        await asyncio.sleep(SILENCE_SECONDS)
        if not subscriber.subscribed:
            await self.close(protocol.IDLE)
        key = access.session_key(self.scope["cookies"])
        while True:
            await asyncio.sleep(ACCESS_SECONDS)
            try:
                user_id = await database_sync_to_async(access.session_user)(key)
            except DatabaseError:
                continue  # not known is not refused: changes come from the same store
            if user_id != subscriber.user_id:
                await self.close(protocol.LOG_IN)


def _selection(request: protocol.Sub) -> Selection:
    """What a `sub` asks for, all streams at first; ValueError says what is wrong with it."""
    if request.rows_per_second not in protocol.ROWS_PER_SECOND:
        rates = " or ".join(map(str, protocol.ROWS_PER_SECOND))
        raise ValueError(f"rows_per_second={request.rows_per_second} must be {rates}.")
    return Selection(
        filter=compile_text(request.filter) if request.filter.strip() else None,
        columns=columns.parse(request.cols),
        noise=request.noise,
        rows_per_second=request.rows_per_second,
    )


def _cursor(text: str) -> Cursor | None:
    """None is "now"."""
    return None if text == "now" else cursors.parse(text)
