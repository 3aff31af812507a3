"""A rule's form: what is typed becomes what the rulebook takes, and back; what is wrong is told at
its field."""

from typing import Any

import pytest
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from dashboard.forms.rule import PARAMS, RuleForm
from streams import rulebook
from streams.alerting.definition import Definition
from streams.models import Destination, Rule
from streams.rules.expressions.rows import Row

pytestmark = pytest.mark.django_db

FULL: dict[str, Any] = {
    "name": "Paid a lot",
    "kind": "count",
    "enabled": True,
    "severity": "critical",
    "query": "status: * -> paid new.total>100",
    "then_query": "",
    "params": {"threshold": 7, "window": 5_400},
    "group_by": ["new.country", "item"],
    "resolve_seconds": 0,
    "cool_down_seconds": 3_600,
    "digest_seconds": 60,
    "repeat_seconds": 0,
    "escalate_seconds": 900,
    "owner": "alice",
    "runbook": "https://wiki.test/paid",
    "note": "So that we know.",
    "destinations": ["mail"],
    "escalate_to": [],
}


def sent(**given: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in {"name": "A rule", "kind": "match", "severity": "warning", **given}.items():
        data.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    return data


def as_browser(form: RuleForm) -> QueryDict:
    """What a browser would send of an untouched form."""
    data: MultiValueDict[str, Any] = QueryDict(mutable=True)
    for bound in form:
        value = bound.value()
        shown = bound.field.prepare_value(value) if hasattr(bound.field, "prepare_value") else value
        if isinstance(shown, list):
            data.setlist(bound.name, shown)
        elif shown is not None and shown is not False:
            data[bound.name] = "on" if shown is True else str(shown)
    return data  # type: ignore[return-value]


def errors(form: RuleForm) -> dict[str, list[str]]:
    return {name: [str(e) for e in found] for name, found in form.errors.items()}


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("match", {}),
        ("count", {"threshold": 7, "window": 5_400}),
        (
            "rate",
            {
                **{"ratio": 2.5, "window": 900, "direction": "both", "weeks": 2},
                **{"weeks_needed": 2, "least": 20.0},
            },
        ),
        ("absence", {"seconds": 600}),
        ("first-seen", {"what": "new.status"}),
        ("sequence", {"within": 60, "expect": "missing"}),
        ("health", {"what": "lag", "limit": 300, "streams": ["orders", "sessions"]}),
    ],
)
def test_a_rule_survives_its_form(kind: str, params: dict[str, Any]) -> None:
    Destination.objects.create(name="mail", kind="email")
    grouped = FULL["group_by"] if kind in ("match", "count") else []
    content = {**FULL, "kind": kind, "params": params, "group_by": grouped}
    content["then_query"] = "op:REMOVE" if kind == "sequence" else ""
    content["query"] = "" if kind == "health" else FULL["query"]
    rule = rulebook.save(content, "alice")
    shown = RuleForm(content=rulebook.content_of(rule), new=False, version=1)
    form = RuleForm(as_browser(shown), saving=True, new=False)
    form.is_valid()
    form.errors.pop("why")
    form.cleaned_data["why"] = ""
    assert errors(form) == {}
    assert form.content() == content
    assert form.definition == rulebook.definition_of(rule)
    saved = rulebook.save(form.content(), "alice", rule=rule)
    assert saved.version == 1, "an untouched form is no new version"


def test_line_breaks_survive_a_browser() -> None:
    content = {"name": "Lines", "query": "op:MODIFY\nnew.a:1\n", "note": "one\ntwo\n"}
    rule = rulebook.save(content, "alice")
    shown = RuleForm(content=rulebook.content_of(rule), new=False, version=1)
    assert shown.filter.needs_room
    data = as_browser(shown)
    for name in ("query", "note"):
        data[name] = str(data[name]).replace("\n", "\r\n")
    form = RuleForm(data)
    assert form.is_valid() and form.filter.needs_room
    assert rulebook.save(form.content(), "alice", rule=rule).version == 1


def test_every_setting_of_every_kind_has_its_field() -> None:
    assert set(PARAMS) == set(Rule.Kind.values)
    for fields in PARAMS.values():
        assert set(fields.values()) <= set(RuleForm.base_fields)


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"query": "tabel:orders"}, "query", "did you mean `table`"),
        ({"kind": "sequence", "sequence_within": "5 min"}, "then_query", "is to follow"),
        ({"kind": "count", "count_window": "5 min"}, "count_threshold", "Say how many"),
        ({"kind": "count", "count_threshold": 5, "count_window": "x"}, "count_window", "15 min"),
        ({"kind": "absence", "absence_seconds": "1 s"}, "absence_seconds", "from 10 seconds"),
        ({"kind": "rate", "rate_ratio": 1}, "rate_ratio", "above 1"),
        ({"kind": "first-seen", "seen_what": "status"}, "seen_what", "not known"),
        ({"kind": "health", "health_what": "lag"}, "health_limit", "how many seconds"),
        ({"group_by": "status"}, "group_by", "is no group"),
        ({"cool_down_seconds": "90 d"}, "cool_down_seconds", "At most 30 d"),
        ({"name": ""}, "name", "required"),
        ({"why": ""}, "why", "required"),
        ({"destinations": ["nobody"]}, "destinations", "not one of the available"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(given: dict[str, Any], field: str, said: str) -> None:
    form = RuleForm(
        sent(why="Because", **given) if "why" not in given else sent(**given),
        saving=True,
        new=False,
    )
    assert not form.is_valid()
    assert list(errors(form)) == [field]
    assert said in errors(form)[field][0]


def test_a_filter_that_is_wrong_is_shown_with_its_place() -> None:
    form = RuleForm(sent(query="op:MODIFY nwe.status:paid"))
    assert not form.is_valid()
    assert (form.wrong["query"].before, form.wrong["query"].after) == (
        "op:MODIFY ",
        "nwe.status:paid",
    )


def test_a_preview_needs_no_name_and_no_comment() -> None:
    form = RuleForm(sent(name="", query="op:REMOVE"))
    assert form.is_valid()
    assert isinstance(form.definition, Definition)


def test_a_taken_name_does_not_keep_the_preview_from_running() -> None:
    form = RuleForm(sent(runbook="nowhere", query="op:REMOVE"))
    assert not form.is_valid()
    assert form.definition is not None


def test_rows_become_the_text_and_back() -> None:
    text = "op:MODIFY -new.country:DE new.total>100"
    form = RuleForm(sent(query=text, filter_as="text", action="rows"))
    assert form.filter.rows == [
        Row("op", ":", "MODIFY"),
        Row("new.country", ":", "DE", negated=True),
        Row("new.total", ">", "100"),
    ]
    given = {
        "row_field": [row.field for row in form.filter.rows],
        "row_operator": [row.operator for row in form.filter.rows],
        "row_value": [row.value for row in form.filter.rows],
        "row_not": ["not" if row.negated else "" for row in form.filter.rows],
    }
    form = RuleForm(sent(filter_as="rows", action="text", **given))
    assert form.filter.rows is None and form.filter.text == text
    assert form.is_valid() and form.definition and form.definition.query == text
    form = RuleForm(sent(filter_as="rows", action="remove-row:1", **given))
    assert form.filter.text == "op:MODIFY new.total>100"
    form = RuleForm(sent(filter_as="rows", action="add-row", **given))
    assert form.filter.rows and len(form.filter.rows) == 4 and form.filter.text == text


def test_a_text_without_rows_stays_and_says_why() -> None:
    form = RuleForm(sent(query="new.a:1 OR new.b:2", action="rows"))
    assert form.filter.rows is None and "OR" in form.filter.why_not
    form = RuleForm(sent(query='{"eventName": ["REMOVE"]}', action="rows"))
    assert "event pattern" in form.filter.why_not
    assert form.filter.as_expression == "eventName:REMOVE"
    form = RuleForm(sent(query='{"eventName": ["REMOVE"]}', action="expression"))
    assert form.filter.text == "eventName:REMOVE"


def test_an_address_fills_in_fields_but_ticks_no_box_and_says_no_comment() -> None:
    given = {"kind": "count", "query": "op:REMOVE", "why": "x", "destinations": "mail", "no": "1"}
    form = RuleForm(prefill={**given, "count_threshold": "20"})
    assert (form["kind"].value(), form["count_threshold"].value()) == ("count", "20")
    assert form["query"].value() == "op:REMOVE" and form.filter.text == "op:REMOVE"
    assert form["why"].value() is None and not form["destinations"].value()
