"""The demo's DynamoDB: moto's tables, the streams of `stream.py`, and a time to live that works.

A clean stop writes everything down and the next start takes it up again, so a demo that was stopped
goes on without a gap. After a crash there is nothing to take up: new tables, new streams, and
Deltawatch says what may be missing.
"""

import argparse
import logging
import signal
import threading
import time
from pathlib import Path
from types import FrameType

from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from dashboard.demo import snapshot, stream
from dashboard.launch.home import LOOPBACK

KEPT = 3600.0  # seconds of records; AWS keeps 24 h, but here they are in memory
SWEEP = 1.0  # seconds between two looks for what is over


def delete_expired(table: Table, now: float) -> None:
    """What AWS does for a table with a time to live, only sooner."""
    if table.ttl.get("TimeToLiveStatus") != "ENABLED":
        return
    name = table.ttl["AttributeName"]
    with stream.deleting_by_time_to_live():
        for item in stream.all_items(table):
            due = item.attrs.get(name)
            if due is not None and due.type == "N" and float(due.value) < now:
                table.delete_item(item.hash_key, item.range_key)


def sweep(over: threading.Event, pause: float = SWEEP) -> None:
    while not over.wait(pause):
        for table in stream.all_tables():
            if isinstance(table.stream_shard, stream.Shard):
                table.stream_shard.trim(time.monotonic() - KEPT)
            delete_expired(table, time.time())


def make(port: int) -> BaseWSGIServer:
    stream.take_over()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it writes a line for every request
    application = DomainDispatcherApplication(create_backend_app)
    return make_server(
        LOOPBACK, port, application, threaded=True, request_handler=MotoRequestHandler
    )


def serve(port: int, state: Path) -> None:
    server = make(port)
    snapshot.load(state)
    over = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        over.set()
        # shutdown() waits for the loop this handler interrupts.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sweeper = threading.Thread(target=sweep, args=[over], daemon=True)
    sweeper.start()
    server.serve_forever()
    sweeper.join()
    snapshot.save(state)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="file a clean stop writes")
    options = parser.parse_args()
    serve(options.port, options.state)
