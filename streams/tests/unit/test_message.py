"""What a message says of an alert: to people, in a text that can be acted on, and to programs."""

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.alerting.message import (
    MOST_LISTED,
    AlertFacts,
    MuteFacts,
    Origin,
    message_of,
    mute_message_of,
    trial_message_of,
)
from streams.alerting.message_values import one_line, spelled

OPENED = datetime(2026, 11, 22, 10, 2, 3, tzinfo=UTC)
HERE = Origin("https://dw.example.com", "production")
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "ALERT_MESSAGE.md"


def alert(number: int = 12, **fields: Any) -> AlertFacts:
    given = {
        "id": number,
        "rule": "Refunds",
        "rule_id": 3,
        "rule_version": 4,
        "kind": "count",
        "severity": "critical",
        "group": "customer 42",
        "stream": "orders",
        "state": "open",
        "sentence": "5 refunds in 60 s for customer 42.",
        "opened_at": OPENED,
        "last_at": OPENED + timedelta(minutes=1),
        "count": 7,
        "suppressed": 2,
        "fix": "Call the shop.",
        "owner": "anna",
        "sample": [
            {"path": "status", "old": {"S": "paid"}, "new": {"S": "refunded"}},
            {"path": "total", "old": None, "new": {"N": "12.500000000000000000000000000001"}},
        ],
        "sample_change": "1234-5",
        "runbook": "https://wiki.example.com/refunds",
        **fields,
    }
    return AlertFacts(**given)


def test_a_person_on_call_can_act_on_it() -> None:
    said = message_of([alert()], "opened", HERE)
    assert said["subject"] == (
        "[production] Critical: Refunds – 5 refunds in 60 s for customer 42."
    )
    for part in (
        "5 refunds in 60 s for customer 42.\n\nWhat to do: Call the shop.\n",
        "Group:      customer 42\n",
        "Stream:     orders\n",
        "Opened:     2026-11-22 10:02:03 UTC\n",
        "Matches:    7, 2 more firings held back\n",
        "Owner:      anna\n",
        '  status: "paid" -> "refunded"\n',
        "  total: (none) -> 12.500000000000000000000000000001\n",
        "Runbook: https://wiki.example.com/refunds\n",
        "Acknowledge, mute or resolve it: https://dw.example.com/alerts/12\n",
        "The change: https://dw.example.com/changes/1234-5\n",
        "The rule: https://dw.example.com/rules/3\n",
    ):
        assert part in said["text"]


def test_html_says_the_same_and_nothing_in_it_is_markup() -> None:
    said = message_of([alert(group="<b>42</b>", sentence='<script>"x"')], "opened", HERE)
    assert "<b>42" not in said["html"] and "<script" not in said["html"]
    assert "&lt;b&gt;42" in said["html"]
    for url in ("alerts/12", "changes/1234-5", "rules/3"):
        assert f'<a href="https://dw.example.com/{url}">' in said["html"]
    loaded = re.findall(r"<(img|link|script|style|iframe)", said["html"])
    assert loaded == []


@pytest.mark.parametrize(
    ("reason", "begins", "says"),
    [
        ("opened", "Critical: ", ""),
        ("repeat", "Still open, critical: ", "nobody has acknowledged it"),
        ("escalation", "Escalated, critical: ", "sent here, too"),
    ],
)
def test_the_subject_says_why_it_is_sent(reason: str, begins: str, says: str) -> None:
    said = message_of([alert()], reason, Origin("https://dw.example.com"))
    assert said["subject"].startswith(begins)
    assert says in said["text"]


def test_its_end_says_why() -> None:
    over = alert(state="resolved", why="No match for 15 min.", resolved_at=OPENED)
    said = message_of([over], "resolved", HERE)
    assert said["subject"] == "[production] Resolved: Refunds – No match for 15 min."
    assert "5 refunds in 60 s for customer 42.\n\nNo match for 15 min.\n" in said["text"]
    assert said["facts"]["alerts"][0]["resolved_why"] == "No match for 15 min."


def test_a_digest_lists_the_worst_first() -> None:
    alerts = [alert(1, severity="info"), alert(2, rule="Loss", group=""), alert(3)]
    said = message_of(alerts, "digest", HERE)
    assert said["subject"] == "[production] 3 alerts: 2 critical, 1 info"
    assert re.findall(r"alerts/(\d+)\n", said["text"]) == ["2", "3", "1"]
    assert [row["id"] for row in said["facts"]["alerts"]] == [1, 2, 3]
    assert said["text"].count("Runbook of Refunds") == 1
    assert "All alerts: https://dw.example.com/alerts\n" in said["text"]


def test_a_long_digest_says_how_much_it_leaves_out() -> None:
    said = message_of([alert(n) for n in range(1_000)], "digest", HERE)
    assert said["subject"] == "[production] 1,000 alerts: 1,000 critical – Refunds"
    assert "And 950 more." in said["text"]
    assert said["facts"]["alerts_total"] == 1_000
    assert len(said["facts"]["alerts"]) == MOST_LISTED
    assert len(json.dumps(said)) < 200_000


def test_a_mute_is_announced_to_end() -> None:
    mute = MuteFacts(5, "Refunds", None, OPENED, "anna", "The shop is moved")
    said = mute_message_of(mute, [alert()], HERE)
    assert said["subject"] == "[production] A mute of Refunds ends at 2026-11-22 10:02:03 UTC"
    assert "1 alert is open under it." in said["text"]
    assert "Because:  The shop is moved" in said["text"]
    assert said["facts"]["mute"]["url"] == "https://dw.example.com/quiet"
    everything = mute_message_of(dataclasses.replace(mute, rule=""), [], HERE)
    assert "A mute of all rules" in everything["subject"]
    assert "0 alerts are open under it." in everything["text"]


def test_a_test_is_marked_as_one() -> None:
    said = trial_message_of("Ops", "bob", HERE)
    assert said["subject"] == "[production] TEST: Ops works"
    assert "sent by bob" in said["text"]
    assert said["facts"] == {"reason": "test", "alerts_total": 0, "alerts": []}


def test_whatever_a_change_brought_stays_on_one_line() -> None:
    odd = "a\r\nBcc: eve@example.com\x00\u202e\ud800b"
    said = message_of([alert(rule=odd, sentence=odd, group=odd, stream=odd)], "opened", HERE)
    assert "\n" not in said["subject"] and "\r" not in said["subject"]
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\ud800]", said["text"])
    said["text"].encode()
    said["html"].encode()


def test_long_things_are_cut() -> None:
    long = alert(
        sentence="x" * 100_000, sample=[{"path": "a", "old": {"S": "y" * 400_000}, "new": None}]
    )
    said = message_of([long], "opened", HERE)
    assert len(said["subject"]) < 200
    assert len(said["text"]) < 2_000
    assert len(said["facts"]["alerts"][0]["sample"][0]["old"]) == 500


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ({"S": 'a"b'}, '"a\\"b"'),
        ({"N": "0.10"}, "0.10"),
        ({"BOOL": True}, "true"),
        ({"NULL": True}, "null"),
        ({"B": "AAE="}, '"AAE="'),
        ({"SS": ["a", "b"]}, '{"a", "b"}'),
        ({"NS": ["1", "2"]}, "{1, 2}"),
        ({"L": [{"N": "1"}, {"M": {"a": {"S": "b"}}}]}, '[1, {a: "b"}]'),
        ("spelled before", "spelled before"),
    ],
)
def test_values_are_spelled_with_their_type(value: Any, text: str | None) -> None:
    assert spelled(value) == text


def test_a_deep_value_costs_no_more_than_what_is_shown() -> None:
    wide = {"L": [{"S": "z" * 1_000}] * 1_000_000}
    assert spelled(wide, 50) == one_line('["' + "z" * 1_000, 50)


def test_the_document_names_each_fact() -> None:
    text = DOCUMENT.read_text()
    over = message_of([alert(resolved_at=OPENED, why="x")], "resolved", HERE)["facts"]
    mute = mute_message_of(MuteFacts(5, "", None, OPENED, "anna", "x"), [], HERE)["facts"]
    (row,) = over["alerts"]
    names = {*over, *row, *row["rule"], *row["sample"][0], *row["change"], *mute, *mute["mute"]}
    assert {name for name in names if f"`{name}`" not in text} == set()
