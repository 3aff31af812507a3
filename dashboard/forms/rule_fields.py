"""The fields of a rule's form."""

from typing import Any

from django import forms

from dashboard.forms.span import SpanField
from streams.alerting.definition import HEALTH, MOST_COUNTED
from streams.models import Rule

_WINDOWS = [(300, "5 min"), (900, "15 min"), (3_600, "1 h"), (21_600, "6 h"), (86_400, "1 d")]
_DIRECTIONS = [("above", "above the usual"), ("below", "below it"), ("both", "above or below")]
_EXPECTED = [("then", "it follows"), ("missing", "it does not follow")]
_HEALTH_WORDS = {
    "lag": "a stream lags",
    "stalled": "a stream is stalled",
    "loss": "time runs out before unread changes are lost",
    "gap": "a gap: changes may be missing",
    "throttled": "reads are throttled",
    "worker": "no worker reads",
    "beat": "beat is gone",
    "deliveries": "deliveries fail",
}


def _code(rows: int = 0, **attrs: str) -> Any:
    given = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", **attrs}
    return forms.Textarea({**given, "rows": str(rows)}) if rows else forms.TextInput(given)


class RuleFields(forms.Form):
    name = forms.CharField(max_length=120)
    kind = forms.ChoiceField(
        choices=Rule.Kind.choices, initial=Rule.Kind.MATCH, widget=forms.RadioSelect, label="When"
    )
    enabled = forms.BooleanField(required=False, initial=True)
    severity = forms.ChoiceField(choices=Rule.Severity.choices, initial=Rule.Severity.WARNING)

    query = forms.CharField(
        required=False, max_length=10_000, strip=False, label="Which changes", widget=_code()
    )
    then_query = forms.CharField(
        required=False, max_length=10_000, strip=False, label="Followed by", widget=_code()
    )

    count_threshold = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_COUNTED, initial=5, label="At least so many"
    )
    count_window = SpanField(label="within", initial=600)
    rate_ratio = forms.FloatField(required=False, initial=2, label="So many times the usual")
    rate_window = forms.TypedChoiceField(
        required=False, choices=_WINDOWS, coerce=int, initial=3_600, label="counted in windows of"
    )
    rate_direction = forms.ChoiceField(
        required=False, choices=_DIRECTIONS, initial="above", label="Direction"
    )
    rate_weeks = forms.IntegerField(
        required=False, min_value=1, max_value=8, initial=4, label="Weeks to compare with"
    )
    rate_weeks_needed = forms.IntegerField(
        required=False, min_value=1, max_value=8, initial=1, label="Weeks that must be known"
    )
    rate_least = forms.FloatField(
        required=False, min_value=1, initial=10, label="Only where the usual is at least"
    )
    absence_seconds = SpanField(label="No change for", initial=3_600)
    seen_what = forms.CharField(
        required=False,
        max_length=300,
        initial="attributes",
        label="What is new",
        help_text="attributes: a new attribute, or a new type of one. Or a path such as"
        " new.status: a new value of it.",
    )
    sequence_within = SpanField(label="Within", initial=600)
    sequence_expect = forms.ChoiceField(
        required=False, choices=_EXPECTED, initial="then", label="Alert when"
    )
    health_what = forms.ChoiceField(
        required=False, choices=[(name, _HEALTH_WORDS[name]) for name in HEALTH], label="What"
    )
    health_limit = SpanField(label="Limit", help_text="For lag, and for time that runs out.")
    health_streams = forms.CharField(
        required=False, label="Streams", help_text="Names, separated by commas; empty for all."
    )

    group_by = forms.CharField(
        required=False,
        max_length=1_000,
        label="One alert for each",
        widget=_code(placeholder="item, stream, keys.pk, new.country"),
        help_text="At most four, separated by commas; empty: one alert for all together.",
    )
    resolve_seconds = SpanField(
        empty_is_none=False,
        label="Resolves after",
        initial=900,
        help_text="So long after the last match; empty: by hand.",
    )
    cool_down_seconds = SpanField(
        empty_is_none=False,
        label="Cool-down",
        help_text="No new alert of a group for so long after one; empty: none.",
    )
    digest_seconds = SpanField(
        empty_is_none=False,
        label="Digest",
        help_text="Alerts of so long go out as one message; empty: each at once.",
    )
    repeat_seconds = SpanField(
        empty_is_none=False,
        label="Repeat",
        help_text="So often until somebody acknowledges; empty: never.",
    )
    escalate_seconds = SpanField(
        empty_is_none=False,
        label="Escalate",
        help_text="To other destinations if nobody acknowledges it for so long; empty: never.",
    )
    destinations = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Sent to"
    )
    escalate_to = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Escalated to"
    )
    owner = forms.CharField(required=False, max_length=150)
    runbook = forms.URLField(
        required=False, max_length=500, assume_scheme="https", help_text="What to do then: a link."
    )
    note = forms.CharField(required=False, strip=False, widget=forms.Textarea({"rows": "2"}))
    why = forms.CharField(
        max_length=1_000, label="Comment", help_text="Why: kept with this version of the rule."
    )
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
