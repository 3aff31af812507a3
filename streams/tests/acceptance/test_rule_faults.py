"""Rules through kills and restarts: the matches equal the truth exactly, no alert is lost and none
comes twice, and each delivery arrives, always with its one key.

DELTAWATCH_FAULT_MATCHES sets how many changes match; `make faults` runs it with 10,000.
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from conftest import REGION
from streams.sources.dynamodb.client import boto_client
from streams.testing.stack import Stack
from streams.tests.acceptance.chaos import Chaos, records

pytestmark = pytest.mark.acceptance

MATCHES = int(os.environ.get("DELTAWATCH_FAULT_MATCHES", "1500"))
KILLS = 3 + MATCHES // 1_000
_BATCH = 25
_ITEMS = 300
_THRESHOLD = 20

# One alert an item; one for the first twenty in a day and all that follow; and one an item where
# a removal follows within a day.
_RULES = """
from streams.models import Destination
from streams.rulebook import save

Destination.objects.create(name="hook", kind="webhook", options={"url": %r})
told = {"resolve_seconds": 0, "destinations": ["hook"]}
save({"name": "each", "query": "new.kind:paid", "group_by": ["item"], **told}, "test")
save({"name": "many", "kind": "count", "query": "new.kind:paid",
      "params": {"threshold": %d, "window": 86400}, **told}, "test")
save({"name": "gone", "kind": "sequence", "query": "new.kind:paid", "then_query": "op:REMOVE",
      "params": {"within": 86400}, **told}, "test")
"""


class Receiver(BaseHTTPRequestHandler):
    """Takes every message and notes its key and the alert it is about."""

    got: list[tuple[str, int]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        (alert,) = body["data"]["alerts"]
        self.got.append((self.headers["Webhook-Id"], alert["id"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Its address, and what it got: key and alert of each message."""
    got: list[tuple[str, int]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Noting", (Receiver,), {"got": got}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/alerts", got
    server.shutdown()
    server.server_close()


def test_matches_and_alerts_equal_the_truth_through_kills_and_restarts(
    stack: Stack,
    dynamodb_url: str,
    make_table: Callable[..., str],
    receiver: tuple[str, list[tuple[str, int]]],
) -> None:
    url, got = receiver
    table = make_table()
    stack.manage("shell", "--no-imports", "-c", _RULES % (url, _THRESHOLD))
    stack.manage(
        *("add_stream", table, "--table", table, "--region", REGION),
        *("--endpoint-url", dynamodb_url, "--start", "trim-horizon"),
    )
    written = threading.Event()
    chaos = Chaos(stack, written)
    chaos.start()
    _write(dynamodb_url, table, stack, chaos)
    written.set()
    chaos.join()
    truth = [
        record["dynamodb"] | {"op": record["eventName"]}
        for _, record in records(dynamodb_url, table)
    ]
    _wait_until_told(stack, table, len(truth))
    expected = _expected(truth)
    assert _matches(stack) == {name: sorted(rows) for name, rows in expected.items()}
    _check_alerts(stack, truth)
    _check_deliveries(stack, got)
    sys.stdout.write(
        f"{len(truth)} changes, {sum(map(len, expected.values()))} matches, "
        f"{len(got)} messages; {chaos.report}\n"
    )
    assert chaos.kills >= KILLS - 1 and chaos.restarts == ["postgres", "valkey"]


def _expected(truth: list[dict[str, Any]]) -> dict[tuple[str, int], list[str]]:
    """By rule and part, the sequences of the changes that match."""
    paid = [data["SequenceNumber"] for data in truth if _is_paid(data)]
    removed = [data["SequenceNumber"] for data in truth if data["op"] == "REMOVE"]
    return {("each", 1): paid, ("many", 1): paid, ("gone", 1): paid, ("gone", 2): removed}


def _is_paid(data: dict[str, Any]) -> bool:
    return bool(data.get("NewImage", {}).get("kind") == {"S": "paid"})


def _matches(stack: Stack) -> dict[tuple[str, int], list[str]]:
    """What was matched, the sequences of the changes by rule and part."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name, part, sequence in stack.query(
        """SELECT r.name, m.part, substr(c.sequence, 2) FROM streams_match m
           JOIN streams_rule r ON r.id = m.rule_id
           JOIN streams_change c ON c.batch_id = m.batch_id AND c.ordinal = m.ordinal"""
    ):
        found[name, part].append(sequence)
    return {key: sorted(rows) for key, rows in found.items()}


def _check_alerts(stack: Stack, truth: list[dict[str, Any]]) -> None:
    """Each alert once, with exactly the changes that belong to it."""
    paid: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for data in truth:
        key = data["Keys"]["pk"]["S"]
        if _is_paid(data):
            paid[key] += 1
            waiting[key] = 1
        elif data["op"] == "REMOVE" and waiting.pop(key, 0):
            gone[key] += 1
    rows = stack.query(
        """SELECT r.name, a."group", a.count, a.state,
                  (SELECT count(*) FROM streams_match m WHERE m.alert_id = a.id)
           FROM streams_alert a JOIN streams_rule r ON r.id = a.rule_id"""
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for name, group, count, state, kept in rows:
        assert state == "open"
        found[name].append((group, count, kept))
    assert sorted(count for _, count, _ in found["each"]) == sorted(paid.values())
    assert all(count == kept for _, count, kept in found["each"])
    assert found["many"] == [("", sum(paid.values()), sum(paid.values()))]
    assert len(found["gone"]) == len({group for group, _, _ in found["gone"]}) == len(gone)
    assert stack.query("SELECT count(*) FROM streams_match WHERE outcome = ''") == [(0,)]
    assert stack.query("SELECT name, error FROM streams_rule WHERE error <> ''") == []


def _check_deliveries(stack: Stack, got: list[tuple[str, int]]) -> None:
    """Each alert was told of by one delivery, which arrived, always with its key."""
    rows = stack.query(
        """SELECT d.key::text, l.alert_id, d.state FROM streams_delivery d
           JOIN streams_delivery_alerts l ON l.delivery_id = d.id WHERE d.reason = 'opened'"""
    )
    alerts = [
        alert
        for (alert,) in stack.query(
            "SELECT a.id FROM streams_alert a JOIN streams_rule r ON r.id = a.rule_id "
            "WHERE r.kind <> 'health'"
        )
    ]
    assert sorted(alert for _, alert, _ in rows) == sorted(alerts)
    assert {state for _, _, state in rows} == {"sent"}
    assert set(got) == {(key, alert) for key, alert, _ in rows}


def _write(url: str, table: str, stack: Stack, chaos: Chaos) -> None:
    """Puts of which eight in ten match, and deletes, of a few hundred items; in as many parts as
    there are kills, so that each kill meets work."""
    client = boto_client("dynamodb", region=REGION, endpoint_url=url)
    dice = random.Random(6)
    matching = 0
    while matching < MATCHES:
        part = matching * KILLS // MATCHES
        stack.wait_for(partial(_has_killed, chaos, part), seconds=120, what=f"kill {part}")
        requests: dict[str, Any] = {}
        for number in range(_BATCH):
            key = {"pk": {"S": f"item-{dice.randrange(_ITEMS)}"}}
            kind = "paid" if dice.random() < 0.8 else "other"
            item = {**key, "kind": {"S": kind}, "count": {"N": f"{matching}.{number}"}}
            delete = dice.random() < 0.1
            # One request a key: a batch may not name an item twice.
            requests[key["pk"]["S"]] = (
                {"DeleteRequest": {"Key": key}} if delete else {"PutRequest": {"Item": item}}
            )
        client.batch_write_item(RequestItems={table: list(requests.values())})
        matching += sum(
            request.get("PutRequest", {}).get("Item", {}).get("kind") == {"S": "paid"}
            for request in requests.values()
        )


def _has_killed(chaos: Chaos, times: int) -> bool:
    return chaos.kills >= times


def _wait_until_told(stack: Stack, table: str, changes: int) -> None:
    begun = time.monotonic()
    stack.wait_for(
        lambda: stack.status()[table]["changes"] >= changes, seconds=180, what="all changes"
    )
    stack.wait_for(
        lambda: stack.query("SELECT count(*) FROM streams_match WHERE outcome = ''") == [(0,)],
        seconds=120,
        what="all matches to be evaluated",
    )
    # As if the claims of those who were killed while they sent had run out.
    stack.query(
        """UPDATE streams_delivery SET due_at = clock_timestamp(), claimed_until = clock_timestamp()
           WHERE state = 'sending' RETURNING id"""
    )
    stack.wait_for(
        lambda: (
            stack.query("SELECT count(*) FROM streams_delivery WHERE state <> 'sent'") == [(0,)]
        ),
        seconds=120,
        what="all deliveries to arrive",
    )
    sys.stdout.write(f"all told {time.monotonic() - begun:.1f} s after the last write\n")
