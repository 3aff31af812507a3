"""The path of a change, the first file to read. Each stage is one file in `streams/stages/`.

    discover   what shards are there? parents before children             stages/discover.py
    lease      who reads which shard? one at a time                       stages/lease.py
    poll       read the leased shards, each at its own pace               stages/poll.py, reading.py
    parse      raw records into changes, numbers exact                    stages/parse.py
    store      changes, ledger row and position in ONE transaction        stages/store.py
    publish    after the commit: a place in the feed, and a wake-up       stages/publish.py

From there on the store is the truth: the feed hub of each web process (dashboard/feed/hub.py)
reads new changes by cursor, and the pages read history through `streams/queries/`.
"""

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from streams.stages.store import store

if TYPE_CHECKING:
    from streams.stages.publish import Publisher
    from streams.stages.reading import Outcome


def store_and_publish(outcome: "Outcome", publisher: "Publisher") -> bool:
    """Take a parsed page through the last stages; False if there was nothing to store.

    Raises LeaseLost if the shard belongs to another poller by now.
    """
    batch = outcome.batch
    if batch is None or not (
        batch.last_sequence != outcome.reading.tail.position or batch.ended or batch.poison
    ):
        return False
    reading = outcome.reading
    timed = replace(batch, read_age=monotonic() - outcome.read_at)
    reading.tail = store(reading.target, reading.tail, timed)
    publisher.stored()
    return True
