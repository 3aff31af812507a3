"""Publish: give committed batches their place in the feed, then wake the hubs.

An identity column is not commit-ordered: a reader that remembers the highest id misses the rows
of slower transactions. So batches are numbered after their commit, one numbering at a time. The
row lock on the head makes it so, and it is released only when the numbers are visible.
"""

import asyncio
import logging
from threading import Event, Thread

from channels.layers import get_channel_layer
from django.db import close_old_connections, connection, transaction
from django.db.utils import Error as DatabaseError
from redis.exceptions import RedisError

from streams.topics import FEED_GROUP, feed_advanced

log = logging.getLogger(__name__)

# Wake-ups are at most this often: the feed sends every 250 ms.
_PAUSE_SECONDS = 0.1
# More batches than this are numbered in a further transaction, so the lock is never held long.
_MOST = 5_000


def number_batches() -> int | None:
    """Number the committed batches and return the feed's new head; None if there were none."""
    head = None
    while True:
        numbered, position = _number_some()
        head = position or head
        if numbered < _MOST:
            return head


def _number_some() -> tuple[int, int | None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM streams_batch WHERE feed_position IS NULL)")
        if not cursor.fetchone()[0]:
            return 0, None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO streams_feedhead (id, position) VALUES (1, 0)
               ON CONFLICT (id) DO UPDATE SET position = streams_feedhead.position
               RETURNING position"""
        )
        head = cursor.fetchone()[0]
        # A new statement sees everything that was committed before the lock was got.
        cursor.execute(
            """UPDATE streams_batch b SET feed_position = %s + n.rank, numbered_at = now.at
               FROM (SELECT id, row_number() OVER (ORDER BY id) AS rank
                     FROM (SELECT id FROM streams_batch WHERE feed_position IS NULL
                           ORDER BY id LIMIT %s) waiting) n,
                    (SELECT clock_timestamp() AS at) now
               WHERE b.id = n.id""",
            [head, _MOST],
        )
        numbered = cursor.rowcount
        cursor.execute("UPDATE streams_feedhead SET position = %s WHERE id = 1", [head + numbered])
    return numbered, (head + numbered if numbered else None)


def wake(position: int, runner: asyncio.Runner | None = None) -> None:
    """Tell the feed hubs; a failure loses nothing, their timer finds the batches.

    Who wakes often brings a runner: its event loop keeps the connection to Redis.
    """
    if runner is None:
        with asyncio.Runner() as once:
            wake(position, once)
        return
    layer = get_channel_layer()
    try:
        runner.run(layer.group_send(FEED_GROUP, feed_advanced(position)))
    except (RedisError, OSError) as error:
        log.info("The feed's wake-up was not sent (%s); its timer will do.", type(error).__name__)


class Publisher:
    """Numbers and wakes in a thread of its own, so that storing waits for neither."""

    def __init__(self) -> None:
        self._stored, self._ended = Event(), False
        self._thread = Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stored(self) -> None:
        """Something was committed."""
        self._stored.set()

    def stop(self) -> None:
        """Number what is left, then end."""
        self._ended = True
        self._stored.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while not self._ended:
                self._stored.wait()
                self._stored.clear()
                self._publish(runner)
                if not self._ended:
                    Event().wait(_PAUSE_SECONDS)
            self._publish(runner)  # what was stored during the last pause
        connection.close()

    def _publish(self, runner: asyncio.Runner) -> None:
        try:
            position = number_batches()
        except DatabaseError as error:
            # The storing side meets the same database and reports it; here the next wake-up,
            # the hub's timer or beat repeats the numbering.
            log.warning("The feed was not numbered: %s", error)
            close_old_connections()
            return
        if position is not None:
            wake(position, runner)
