"""The path of a change, the first file to read. Each stage is one file in `streams/stages/`.

    discover   what shards are there? parents before children             stages/discover.py
    lease      who reads which shard? one at a time                       stages/lease.py
    poll       read the leased shards, each at its own pace               stages/poll.py, reading.py
    parse      raw records into changes, numbers exact                    stages/parse.py
    match      every change against every rule, before the transaction    stages/match.py
    store      changes, matches, ledger row, position: ONE transaction    stages/store.py, lanes.py
    publish    after the commit: a place in the feed, and a wake-up       stages/publish.py
    evaluate   matches become alerts, in the order of the feed            stages/evaluate.py
    deliver    what is due is sent, outside any transaction               stages/deliver.py

From there on the store is the truth: the feed hub of each web process (dashboard/feed/hub.py)
reads new changes by cursor, and the pages read history through `streams/queries/`.
"""

from typing import TYPE_CHECKING

from streams.stages.store import ReadBatch, Tail, Target, store

if TYPE_CHECKING:
    from streams.stages.publish import Publisher


def store_and_publish(target: Target, tail: Tail, batch: ReadBatch, publisher: "Publisher") -> Tail:
    """Take a parsed batch through the last stages; the shard's new tail.

    Raises LeaseLost if the shard belongs to another poller by now.
    """
    new = store(target, tail, batch)
    publisher.stored()
    return new
