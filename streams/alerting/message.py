"""What a delivery says: a subject, a text, an HTML part for mail readers, and the facts for
programs (docs/ALERT_MESSAGE.md). Plain Python, made once and kept in the delivery's row.

A text says first what happened and what to do, then the evidence, then where to go on. Whatever a
change brought with it stands on one line, and nothing in it is hidden.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from streams.alerting.message_html import Block, html_of
from streams.alerting.message_values import one_line, spelled
from streams.when import iso, spell_moment

_SUBJECT = 150
# A digest of more alerts lists these, says how many there are, and leads to the list.
MOST_LISTED = 50
_MOST_DIFFERENCES = 20
_SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class Origin:
    """Who speaks: where people reach this Deltawatch (no slash at the end), and its name."""

    url: str
    environment: str = ""


@dataclass(frozen=True)
class AlertFacts:
    """An alert as it is told of. `sample` has {"path", "old", "new"}: typed values, texts, or None
    for a missing one. `why` is why it resolved."""

    id: int
    rule: str
    rule_id: int | None
    rule_version: int
    kind: str
    severity: str
    group: str
    stream: str
    state: str
    sentence: str
    opened_at: datetime
    last_at: datetime
    count: int
    suppressed: int = 0
    fix: str = ""
    owner: str = ""
    resolved_at: datetime | None = None
    why: str = ""
    sample: Sequence[Mapping[str, Any]] = ()
    sample_change: str = ""
    note: str = ""
    runbook: str = ""


@dataclass(frozen=True)
class MuteFacts:
    """A mute that ends soon. `rule` is "" for all rules, `group` None for all its groups."""

    id: int
    rule: str
    group: str | None
    until: datetime
    who: str
    reason: str


def message_of(alerts: Sequence[AlertFacts], reason: str, origin: Origin) -> dict[str, Any]:
    """The message about one or more alerts: {"subject", "text", "html", "facts"}."""
    if len(alerts) == 1:
        blocks = _about(alerts[0], origin)
        title = f"{_headline(alerts[0], reason)}: {alerts[0].rule} – {_said(alerts[0])}"
    else:
        title = f"{_counted(alerts)}{_of_one_rule(alerts)}"
        blocks = _list(alerts, origin)
    if lead := _LEADS.get(reason):
        blocks = [Block(text=lead), *blocks]
    facts = {
        "reason": reason,
        "alerts_total": len(alerts),
        "alerts": [_facts(alert, origin) for alert in alerts[:MOST_LISTED]],
    }
    return _message(title, blocks, facts, origin)


def mute_message_of(
    mute: MuteFacts, alerts: Sequence[AlertFacts], origin: Origin
) -> dict[str, Any]:
    """The message before a mute's end; `alerts` are those that are open under it."""
    what = one_line(mute.rule) if mute.rule else "all rules"
    if mute.group is not None:
        what += f", group {one_line(mute.group) or '(none)'}"
    end = spell_moment(mute.until)
    told = f"{len(alerts)} alert{'s are' if len(alerts) != 1 else ' is'} open under it."
    blocks = [
        Block(text=f"After {end} alerts of {what} are sent again. {told}"),
        Block(rows=[("Muted by", one_line(mute.who)), ("Because", one_line(mute.reason))]),
        *(_list(alerts, origin) if alerts else []),
        Block(links=[("Mute longer, or end it now", f"{origin.url}/quiet")]),
    ]
    facts = {
        "reason": "mute-ends",
        "mute": {
            "id": mute.id,
            "rule": mute.rule,
            "group": mute.group,
            "until": iso(mute.until),
            "who": mute.who,
            "reason": mute.reason,
            "url": f"{origin.url}/quiet",
        },
        "alerts_total": len(alerts),
        "alerts": [_facts(alert, origin) for alert in alerts[:MOST_LISTED]],
    }
    return _message(f"A mute of {what} ends at {end}", blocks, facts, origin)


def trial_message_of(destination: str, who: str, origin: Origin) -> dict[str, Any]:
    """The message that somebody sends to see if it arrives."""
    text = (
        f"This is a test of the destination {one_line(destination)}, sent by {one_line(who)}. "
        "Alerts reach you here. Nothing happened, and there is nothing to do."
    )
    blocks = [Block(text=text), Block(links=[("Destinations", f"{origin.url}/destinations")])]
    facts: dict[str, Any] = {"reason": "test", "alerts_total": 0, "alerts": []}
    return _message(f"TEST: {one_line(destination)} works", blocks, facts, origin)


_LEADS = {
    "repeat": "This alert is still open, and nobody has acknowledged it.",
    "escalation": "Nobody has acknowledged this in time, so it is sent here, too.",
}
_HEADLINES = {
    "repeat": "Still open, {severity}",
    "escalation": "Escalated, {severity}",
    "resolved": "Resolved",
}


def _headline(alert: AlertFacts, reason: str) -> str:
    words = _HEADLINES.get(reason, "{severity}").format(severity=alert.severity)
    return words[:1].upper() + words[1:]


def _said(alert: AlertFacts) -> str:
    """Its sentence; after its end, why it ended."""
    return alert.why if alert.state == "resolved" and alert.why else alert.sentence


def _about(alert: AlertFacts, origin: Origin) -> list[Block]:
    """One alert, with everything that helps."""
    blocks = [Block(text=one_line(alert.sentence), strong=True)]
    if alert.state == "resolved":
        blocks.append(Block(text=one_line(alert.why) or "It is resolved."))
    if alert.fix:
        blocks.append(Block(text=f"What to do: {one_line(alert.fix)}"))
    if alert.note:
        blocks.append(Block(text=one_line(alert.note, 1_000)))
    blocks.append(Block(rows=_rows(alert)))
    if alert.sample:
        blocks.append(_sample(alert))
    return [*blocks, Block(links=_links(alert, origin))]


def _rows(alert: AlertFacts) -> list[tuple[str, str]]:
    held = f", {alert.suppressed:,} more firings held back" if alert.suppressed else ""
    rows = [
        ("Rule", f"{one_line(alert.rule)} (version {alert.rule_version})"),
        ("Group", one_line(alert.group)),
        ("Stream", one_line(alert.stream)),
        ("Opened", spell_moment(alert.opened_at)),
        ("Last match", spell_moment(alert.last_at) if alert.last_at != alert.opened_at else ""),
        ("Resolved", spell_moment(alert.resolved_at) if alert.resolved_at else ""),
        ("Matches", f"{alert.count:,}{held}" if alert.count or held else ""),
        ("Owner", one_line(alert.owner)),
    ]
    return [(name, value) for name, value in rows if value]


def _sample(alert: AlertFacts) -> Block:
    shown = alert.sample[:_MOST_DIFFERENCES]
    return Block(
        title="What changed first",
        differences=[
            (one_line(str(at["path"])), spelled(at["old"]), spelled(at["new"])) for at in shown
        ],
    )


def _links(alert: AlertFacts, origin: Origin) -> list[tuple[str, str]]:
    links = [("Runbook", alert.runbook)] if alert.runbook else []
    links.append(("Acknowledge, mute or resolve it", _alert_url(alert, origin)))
    if alert.sample_change:
        links.append(("The change", f"{origin.url}/changes/{alert.sample_change}"))
    if alert.rule_id:
        links.append(("The rule", f"{origin.url}/rules/{alert.rule_id}"))
    return links


def _alert_url(alert: AlertFacts, origin: Origin) -> str:
    return f"{origin.url}/alerts/{alert.id}"


def _list(alerts: Sequence[AlertFacts], origin: Origin) -> list[Block]:
    """Many alerts, the worst and oldest first, each on a line with its link."""
    order = sorted(alerts, key=lambda alert: (_rank(alert), alert.opened_at, alert.id))
    blocks = [
        Block(
            text=f"{alert.severity.capitalize()}: {one_line(alert.rule)} – {one_line(_said(alert))}"
            + (f" [{alert.group}]" if alert.group and alert.group not in alert.sentence else ""),
            links=[(f"{alert.state}, {_matches(alert)}", _alert_url(alert, origin))],
        )
        for alert in order[:MOST_LISTED]
    ]
    if (more := len(alerts) - MOST_LISTED) > 0:
        blocks.append(Block(text=f"And {more:,} more."))
    runbooks = sorted({(alert.rule, alert.runbook) for alert in alerts if alert.runbook})
    links = [(f"Runbook of {one_line(rule)}", url) for rule, url in runbooks[:10]]
    return [*blocks, Block(links=[*links, ("All alerts", f"{origin.url}/alerts")])]


def _matches(alert: AlertFacts) -> str:
    return f"{alert.count:,} match{'es' if alert.count != 1 else ''}"


def _rank(alert: AlertFacts) -> int:
    return _SEVERITIES.index(alert.severity) if alert.severity in _SEVERITIES else 0


def _counted(alerts: Sequence[AlertFacts]) -> str:
    counts = Counter(alert.severity for alert in alerts)
    parts = ", ".join(f"{counts[name]:,} {name}" for name in _SEVERITIES if counts[name])
    return f"{len(alerts):,} alerts: {parts}"


def _of_one_rule(alerts: Sequence[AlertFacts]) -> str:
    rules = {alert.rule for alert in alerts}
    return f" – {rules.pop()}" if len(rules) == 1 else ""


def _facts(alert: AlertFacts, origin: Origin) -> dict[str, Any]:
    """What docs/ALERT_MESSAGE.md promises of an alert."""
    return {
        "id": alert.id,
        "url": _alert_url(alert, origin),
        "state": alert.state,
        "severity": alert.severity,
        "kind": alert.kind,
        "sentence": alert.sentence,
        "fix": alert.fix,
        "group": alert.group,
        "stream": alert.stream or None,
        "owner": alert.owner or None,
        "opened_at": iso(alert.opened_at),
        "last_at": iso(alert.last_at),
        "resolved_at": iso(alert.resolved_at) if alert.resolved_at else None,
        "resolved_why": alert.why or None,
        "count": alert.count,
        "suppressed": alert.suppressed,
        "rule": {
            "id": alert.rule_id,
            "name": alert.rule,
            "version": alert.rule_version,
            "note": alert.note,
            "runbook": alert.runbook or None,
            "url": f"{origin.url}/rules/{alert.rule_id}" if alert.rule_id else None,
        },
        "sample": [
            {"path": at["path"], "old": spelled(at["old"], 500), "new": spelled(at["new"], 500)}
            for at in alert.sample[:_MOST_DIFFERENCES]
        ],
        "change": {
            "id": alert.sample_change,
            "url": f"{origin.url}/changes/{alert.sample_change}",
        }
        if alert.sample_change
        else None,
    }


def _message(
    title: str, blocks: Sequence[Block], facts: dict[str, Any], origin: Origin
) -> dict[str, Any]:
    name = f"[{origin.environment}] " if origin.environment else ""
    subject = f"{name}{one_line(title, _SUBJECT)}"
    text = "\n\n".join(part for block in blocks if (part := block.as_text()))
    foot = f"Deltawatch {origin.environment}".strip() + f", {origin.url}"
    return {
        "subject": subject,
        "text": f"{text}\n\n-- \n{foot}\n",
        "html": html_of(subject, blocks, foot),
        "facts": facts,
    }
