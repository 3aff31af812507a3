"""One rule of each kind, made in the admin by a browser: real writes make it fire, a web server and
a mail server are told, and it resolves by itself."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import REGION
from streams import locks
from streams.models import Rule
from streams.testing.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver
from streams.testing.stack import Stack

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

# The fields of the admin's form; every rule sees the changes of its own kind.
RULES: dict[str, dict[str, Any]] = {
    "absence": {"absence_seconds": "1 h"},
    "rate": {"rate_ratio": "2", "rate_window": "86400", "rate_least": "1"},
    "count": {"count_threshold": "3", "count_window": "1 min", "group_by": "new.country"},
    "first-seen": {"seen_what": "new.status"},
    "sequence": {"then_query": "op:REMOVE", "sequence_within": "1 min"},
    "health": {"health_what": "deliveries"},
    "match": {"severity": "critical"},
}
# These are told to the receiver that refuses, too.
ALSO_REFUSED = ("count", "sequence")


@pytest.fixture(scope="module")
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def refusing() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        receiver.way = "refuse"
        yield receiver


@pytest.fixture(scope="module")
def mail() -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack], mail: MailReceiver) -> Stack:
    made = make_stack(
        DELTAWATCH_LOG_LEVEL="WARNING", DELTAWATCH_EMAIL_URL=f"smtp://127.0.0.1:{mail.port}"
    )
    made.start()
    return made


@pytest.fixture
def page(stack: Stack, chromium: Browser) -> Iterator[Page]:
    """A page of somebody who has logged in, whose console stays free of errors."""
    context = chromium.new_context(base_url=stack.url)
    context.set_default_timeout(10_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.goto("/rules")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(stack.password())
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stack.url}/rules")
    yield page
    context.close()
    assert not wrong


class Table:
    """Writes of an application, by plain boto3."""

    def __init__(self, dynamodb: Any, name: str) -> None:
        self._dynamodb, self._name, self._written = dynamodb, name, 0

    def put(self, kind: str, **attributes: str) -> str:
        self._written += 1
        key = f"{kind}-{self._written}"
        item = {"pk": key, "case": kind, **attributes}
        typed = {name: {"S": value} for name, value in item.items()}
        self._dynamodb.put_item(TableName=self._name, Item=typed)
        return key

    def delete(self, key: str) -> None:
        self._dynamodb.delete_item(TableName=self._name, Key={"pk": {"S": key}})


@pytest.fixture
def table(stack: Stack, dynamodb: Any, dynamodb_url: str, make_table: Callable[..., str]) -> Table:
    name = make_table()
    stack.manage(
        *("add_stream", "orders", "--table", name, "--region", REGION),
        *("--endpoint-url", dynamodb_url),
    )
    return Table(dynamodb, name)


def test_one_rule_of_each_kind_fires_and_resolves(
    stack: Stack, table: Table, page: Page,
    hook: HttpReceiver, refusing: HttpReceiver, mail: MailReceiver,
) -> None:  # fmt: skip
    assert set(RULES) == set(Rule.Kind.values)
    begun = time.monotonic()
    _add(page, "destination", name="hook", kind="webhook", webhook_url=hook.url)
    _add(page, "destination", name="refusing", kind="webhook", webhook_url=refusing.url)
    _add(page, "destination", name="desk", kind="email", email_to="desk@example.com")
    for kind in RULES:
        _add_rule(page, kind)
    made = time.monotonic()
    # The newest rule is active when it matches: within five seconds.
    stack.wait_for(lambda: table.put("match") and _matches(stack, "match"), seconds=5)
    active = time.monotonic()
    _make_them_fire(stack, table, refusing)
    stack.wait_for(
        lambda: {kind: [("resolved", "")] for kind in RULES}.items() <= _alerts(stack).items(),
        what="every alert to resolve by itself, and no second one",
    )
    for kind in RULES:
        stack.wait_for(lambda kind=kind: _all_told(hook, mail, kind), what=f"word of {kind}")  # type: ignore[misc]
    assert len(hook.keys()) == len(set(hook.keys()))
    page.goto("/admin/streams/alert/?state__exact=resolved")
    for kind in RULES:
        expect(page.get_by_role("cell", name=kind, exact=True).first).to_be_visible()
    sys.stdout.write(
        f"made in {made - begun:.1f} s, active after {active - made:.1f} s, all fired, told and "
        f"resolved after {time.monotonic() - active:.1f} s\n"
    )


def _make_them_fire(stack: Stack, table: Table, refusing: HttpReceiver) -> None:
    """By writes, and by what time brings."""
    _wait_until_open(stack, "match")
    for _ in range(3):
        table.put("count", country="DE")
    table.put("first-seen", status="on fire")
    # An hour and not seconds: DynamoDB Local gives a change's time to the minute.
    _time_passes(stack, "absence", hours=1)
    _wait_until_open(stack, "count", "first-seen", "absence", "health")
    table.put("absence")
    _more_than_a_week_ago(stack, table)
    refusing.way = "take"
    table.delete(table.put("sequence"))
    _wait_until_open(stack, "sequence")
    _time_passes(stack, "rate", days=3)


def _add_rule(page: Page, kind: str) -> None:
    told = ["hook", "desk", *(["refusing"] if kind in ALSO_REFUSED else [])]
    given = {} if kind == "health" else {"query": f"new.case:{kind}"}
    given |= {"name": kind, "kind": kind, "resolve_seconds": "2 s", **RULES[kind]}
    _add(page, "rule", **given, destinations=told)


def _add(page: Page, model: str, **fields: Any) -> None:
    """Fill in the admin's form as a person does, and save it."""
    page.goto(f"/admin/streams/{model}/add/")
    for name, value in fields.items():
        field = page.locator(f"[name={name}]")
        if field.first.get_attribute("type") in ("radio", "checkbox"):
            for each in value if isinstance(value, list) else [value]:
                page.locator(f"[name={name}][value={each}]").check()
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("was added successfully")


def _matches(stack: Stack, rule: str) -> int:
    ((count,),) = stack.query(
        """SELECT count(*) FROM streams_match m JOIN streams_rule r ON r.id = m.rule_id
           WHERE r.name = %s""",
        rule,
    )
    return int(count)


def _alerts(stack: Stack) -> dict[str, list[tuple[str, str]]]:
    """By rule, the state of each alert and who resolved it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, *state in stack.query("SELECT rule_name, state, resolved_by FROM streams_alert"):
        found.setdefault(name, []).append((state[0], state[1]))
    return found


def _wait_until_open(stack: Stack, *rules: str) -> None:
    stack.wait_for(
        lambda: set(rules) <= _alerts(stack).keys(), what=f"alerts of {', '.join(rules)}"
    )


def _all_told(hook: HttpReceiver, mail: MailReceiver, rule: str) -> bool:
    """Whether both servers know that the rule's alert opened, and that it resolved."""
    reasons = {
        body["data"]["reason"]
        for _, body in list(hook.requests)
        if any(alert["rule"]["name"] == rule for alert in body["data"]["alerts"])
    }
    mails = [each for each in list(mail.mails) if f" {rule} " in each["Subject"]]
    return {"opened", "resolved"} <= reasons and len(mails) >= 2


def _more_than_a_week_ago(stack: Stack, table: Table) -> None:
    """Three orders a week ago, and seven today: more than twice as many."""
    _time_passes(stack, "rate", days=1)  # so that the day of today is a whole one
    for _ in range(3):
        table.put("rate")
    stack.wait_for(
        lambda: sum(_remembered(stack, "rate")["counts"]) == 3, what="three orders to be counted"
    )
    _time_passes(stack, "rate", days=7)
    for _ in range(7):
        table.put("rate")
    _wait_until_open(stack, "rate")


def _remembered(stack: Stack, rule: str) -> dict[str, Any]:
    """What a rule without groups remembers; {} while it has not begun."""
    states = stack.query(
        """SELECT s.state FROM streams_rulestate s JOIN streams_rule r ON r.id = s.rule_id
           WHERE r.name = %s""",
        rule,
    )
    return states[0][0] if states else {}


def _time_passes(stack: Stack, rule: str, **span: float) -> None:
    """All that the rule remembers is so much longer ago. A rate's windows are days here."""
    stack.wait_for(lambda: _remembered(stack, rule), what=f"the rule of the kind {rule} to begin")
    gone = timedelta(**span)
    with psycopg.connect(stack.service("database_url")) as database:
        # Nobody evaluates meanwhile.
        database.execute("SELECT pg_advisory_xact_lock(%s, 0)", [locks.ALERTING])
        state = _remembered(stack, rule)
        for name in state.keys() & {"heard", "last"}:
            state[name] -= round(gone.total_seconds() * 1_000_000)
        for name in state.keys() & {"first", "next"}:
            state[name] -= gone.days
        if "refs" in state:
            state["refs"][0] -= gone.days
        state |= {"fired": [day - gone.days for day in state["fired"]]} if "fired" in state else {}
        database.execute(
            """UPDATE streams_rulestate SET state = %s, due_at = due_at - %s
               WHERE rule_id = (SELECT id FROM streams_rule WHERE name = %s)""",
            [json.dumps(state), gone, rule],
        )
        database.execute(
            """UPDATE streams_alert SET opened_at = opened_at - %(gone)s,
                   last_at = last_at - %(gone)s WHERE rule_name = %(rule)s""",
            {"gone": gone, "rule": rule},
        )
