"""The watchman: a thread of each web process that checks health when nobody else does any more, so
that the end of all workers and of beat is told by whoever is left.

As long as beat ticks it only reads one row every ten seconds. Then it does what the tick would:
check the health rules, evaluate what waits, and send it. Several web processes are no harm:
one look at a time counts.
"""

import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections

from streams.stages.deliver import deliver_due
from streams.stages.evaluate import evaluate
from streams.stages.health import check_health

log = logging.getLogger(__name__)

_EVERY_SECONDS = 10.0
# Three ticks of beat. Less than the time between two looks of one watchman, so that it goes on at
# its own pace once it has begun.
_LATE = timedelta(seconds=9)
# The next look must not wait long for receivers that do not answer.
_SENDING_SECONDS = 5.0
# A stop waits for so long; the thread ends with the process anyway.
_STOP_SECONDS = 2.0

Message = MutableMapping[str, Any]


class Watchman:
    def __init__(self, every: float = _EVERY_SECONDS) -> None:
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchman", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(_STOP_SECONDS)

    def _watch(self) -> None:
        stand_in()
        while not self._stopping.wait(self._every):
            stand_in()


def stand_in() -> bool:
    """Do the tick's part for health if nobody has for a while; False if somebody has, or it cannot
    be done now."""
    try:
        close_old_connections()
        if not check_health(_LATE):
            return False
        evaluate()
        deliver_due(_SENDING_SECONDS)
    except DatabaseError as error:
        log.warning("Health was not checked: %s", error)
        return False
    finally:
        close_old_connections()
    return True


async def lifespan(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """The server's start and stop, as ASGI tells them."""
    watchman = Watchman()
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            watchman.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            watchman.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
