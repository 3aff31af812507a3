"""The form of a rule. What it says is checked by the rulebook; what is wrong is told at its
field."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from dashboard.forms.rule_fields import RuleFields
from dashboard.forms.rule_filter import given_filter, needs_room, one_kind_of_break, shown_filter
from dashboard.forms.wrong import Wrong
from streams import rulebook
from streams.alerting.definition import Definition, RuleError, define
from streams.models import Destination, Rule
from streams.rules import PatternError

# Each kind's settings and the fields they are in.
PARAMS: Mapping[str, Mapping[str, str]] = {
    "match": {},
    "count": {"threshold": "count_threshold", "window": "count_window"},
    "rate": {
        "ratio": "rate_ratio",
        "window": "rate_window",
        "direction": "rate_direction",
        "weeks": "rate_weeks",
        "weeks_needed": "rate_weeks_needed",
        "least": "rate_least",
    },
    "absence": {"seconds": "absence_seconds"},
    "first-seen": {"what": "seen_what"},
    "sequence": {"within": "sequence_within", "expect": "sequence_expect"},
    "health": {"what": "health_what", "limit": "health_limit", "streams": "health_streams"},
}
# The others have no groups, or their own.
GROUPED = ("match", "count")
_PLAIN = ("name", "kind", "enabled", "severity", "query", "owner", "runbook", "note")
_SPANS = ("resolve", "cool_down", "digest", "repeat", "escalate")
_NEEDED = {
    "count_threshold": "Say how many.",
    "count_window": "Say within which time.",
    "rate_ratio": "Say how many times the usual.",
    "absence_seconds": "Say for how long.",
    "sequence_within": "Say within which time.",
}
# What a definition is made of: an error in another field does not keep a preview from running.
_ASKED = {"kind", "query", "then_query", "group_by", "resolve_seconds", "cool_down_seconds"}


class RuleForm(RuleFields):
    """Unbound, with what a rule says (`content`, as the rulebook spells it) and what an address
    says for fields (`prefill`); or bound to what was sent. `definition` is the checked rule after
    `is_valid`, None if it cannot work."""

    definition: Definition | None = None

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        content: Mapping[str, Any] | None = None,
        prefill: Mapping[str, str] | None = None,
        saving: bool = False,
        new: bool = True,
        version: int = 0,
    ) -> None:
        given = None if data is None else given_filter(data)
        if data is not None and given is not None:
            data = data.copy()
            data["query"] = given.text
        initial = {**_initial(content or {}), **_known(prefill or {}), "seen_version": version}
        super().__init__(data, initial=initial, label_suffix="")
        self.filter = given or shown_filter(str(initial.get("query", "")), as_rows=False)
        self.wrong: dict[str, Wrong] = {}
        self.saving = saving
        self.fields["name"].required = saving
        self.fields["why"].required = saving and not new
        names = list(Destination.objects.values_list("name", flat=True))
        for field in ("destinations", "escalate_to"):
            choices: Any = self.fields[field]
            choices.choices = [(name, name) for name in names]

    @property
    def chosen_kind(self) -> str:
        """As chosen, or as it was."""
        return str(self["kind"].value() or Rule.Kind.MATCH)

    @property
    def then_needs_room(self) -> bool:
        return needs_room(str(self["then_query"].value() or ""))

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        kind = given.get("kind", "")
        for field in PARAMS.get(kind, {}).values():
            if field in _NEEDED and field not in self.errors and given.get(field) is None:
                self.add_error(field, _NEEDED[field])
        asked = _ASKED | set(PARAMS.get(kind, {}).values())
        if not asked & set(self.errors):
            try:
                self.definition = define(self.content())
                if self.saving and not self.errors:
                    rulebook.check(self.content())
            except RuleError as error:
                self.refused(error)
        return given

    def content(self) -> dict[str, Any]:
        """What the rule is to say, as the rulebook spells it."""
        given = self.cleaned_data
        kind = given["kind"]
        content: dict[str, Any] = {field: given.get(field, "") for field in _PLAIN}
        content["note"] = one_kind_of_break(content["note"])
        content["query"] = "" if kind == "health" else _text(given.get("query", ""))
        content["then_query"] = _text(given.get("then_query", "")) if kind == "sequence" else ""
        content["params"] = self._params(kind)
        content["group_by"] = _names(given.get("group_by", "")) if kind in GROUPED else []
        for span in _SPANS:
            content[f"{span}_seconds"] = given.get(f"{span}_seconds") or 0
        for field in ("destinations", "escalate_to"):
            content[field] = given.get(field, [])
        return content

    def _params(self, kind: str) -> dict[str, Any]:
        given = {name: self.cleaned_data.get(field) for name, field in PARAMS[kind].items()}
        if kind == "health":
            given["streams"] = _names(given["streams"] or "")
        return {name: value for name, value in given.items() if value not in (None, "", [])}

    def refused(self, error: RuleError) -> None:
        """Tell what the rulebook refuses at the field it names."""
        self.definition = None
        cause = error.__cause__
        field = self._field_of(error)
        if isinstance(cause, PatternError):
            self.wrong[field] = Wrong.of(cause)
            self.add_error(field, f"{cause.reason}.")
        else:
            self.add_error(field if field in self.fields else None, error.sentence)

    def _field_of(self, error: RuleError) -> str:
        """Settings of a kind are one field of a rule, and several here."""
        if error.field != "params":
            return error.field
        fields = PARAMS[self.chosen_kind]
        return fields.get(error.setting) or next(iter(fields.values()), "")

    @property
    def complaints(self) -> list[tuple[str, str, str]]:
        """(field, label, sentence) of everything that is wrong."""
        return [
            (name, str(self[name].label) if name in self.fields else "", str(error))
            for name, errors in self.errors.items()
            for error in errors
        ]


def _text(text: str) -> str:
    return one_kind_of_break(text) if text.strip() else ""


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _known(given: Mapping[str, str]) -> dict[str, str]:
    """Only what are fields; a link cannot tick boxes or write the comment."""
    skipped = ("why", "seen_version", "enabled", "destinations", "escalate_to")
    return {f: v for f, v in given.items() if f in RuleFields.base_fields and f not in skipped}


def _initial(content: Mapping[str, Any]) -> dict[str, Any]:
    """A rule's content as the values of the fields; what it does not say is left to them."""
    skipped = ("params", "group_by")
    initial = {field: value for field, value in content.items() if field not in skipped}
    for span in ("cool_down", "digest", "repeat", "escalate", "resolve"):
        field = f"{span}_seconds"
        if field in initial:
            initial[field] = initial[field] or ""
    if "group_by" in content:
        initial["group_by"] = ", ".join(content["group_by"])
    fields = PARAMS.get(content.get("kind", ""), {})
    for name, value in content.get("params", {}).items():
        if name in fields:
            initial[fields[name]] = ", ".join(value) if name == "streams" else value
    if content.get("kind") == "health" and not initial.get("health_limit"):
        initial["health_limit"] = ""
    return initial
