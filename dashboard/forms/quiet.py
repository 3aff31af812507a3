"""The forms of mutes and of maintenance windows."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from streams.alerting.calendar import LONGEST_MINUTES, Window, doubts
from streams.models import MaintenanceWindow, Mute
from streams.stages import answer

SPANS = {
    "30m": ("for 30 minutes", timedelta(minutes=30)),
    "1h": ("for an hour", timedelta(hours=1)),
    "4h": ("for 4 hours", timedelta(hours=4)),
    "8h": ("for 8 hours", timedelta(hours=8)),
    "1d": ("for a day", timedelta(days=1)),
    "7d": ("for a week", timedelta(days=7)),
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

if TYPE_CHECKING:
    MuteBase = forms.ModelForm[Mute]
    WindowBase = forms.ModelForm[MaintenanceWindow]
else:  # generic for the type checker only
    MuteBase = WindowBase = forms.ModelForm


class MuteForm(MuteBase):
    """A mute of a rule, of one group of it, or of all rules, until a time."""

    every = forms.BooleanField(
        label="All groups of the rule",
        required=False,
        initial=True,
        help_text="Otherwise only the one that is named below.",
    )
    span = forms.ChoiceField(
        label="For how long",
        required=False,
        choices=[("", "until a time…"), *((name, label) for name, (label, _) in SPANS.items())],
        initial="4h",
    )
    until = forms.DateTimeField(
        label="Or until (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    class Meta:
        model = Mute
        fields = ("rule", "every", "group", "span", "until", "reason")
        widgets = {"reason": forms.TextInput(attrs={"autocomplete": "off", "maxlength": 500})}
        help_texts = {
            "reason": "Others read it where they wonder why nothing was sent.",
        }

    field_order = ("rule", "every", "group", "span", "until", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        rule: Any = self.fields["rule"]
        rule.empty_label = "All rules"
        group: Any = self.fields["group"]
        group.empty_value = ""  # which is a group

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if span := given.get("span"):
            given["until"] = timezone.now() + SPANS[span][1]
        _check_end(self, given.get("until"))
        if given.get("every") or given.get("rule") is None:
            given["group"] = None
        return given

    def apply(self, who: str) -> Mute:
        given = self.cleaned_data
        return answer.mute(given["rule"], given["group"], given["until"], given["reason"], who)


def _check_end(form: MuteForm, until: datetime | None) -> None:
    now = timezone.now()
    if until is None:
        if "until" not in form.errors:
            form.add_error("until", "Say when it ends: a mute without an end is forgotten.")
    elif until <= now:
        form.add_error("until", "That is past. Write a time to come, in UTC.")
    elif until >= now + timedelta(days=answer.LONGEST_MUTE_DAYS):
        form.add_error(
            "until",
            f"A mute lasts for at most {answer.LONGEST_MUTE_DAYS} days. Disable the rule instead.",
        )


class WindowForm(WindowBase):
    """A time of the week in which nothing is sent."""

    weekdays = forms.TypedMultipleChoiceField(
        label="Begins on",
        coerce=int,
        choices=list(enumerate(WEEKDAYS)),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one day."},
    )
    begins = forms.TimeField(
        label="At", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    minutes = forms.IntegerField(
        label="For so many minutes",
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MINUTES)],
        help_text="Minutes that really pass, on the days the clocks change, too.",
    )

    class Meta:
        model = MaintenanceWindow
        fields = ("name", "weekdays", "begins", "minutes", "zone", "rules", "enabled")
        labels = {"zone": "In the time zone", "rules": "For these rules"}
        help_texts = {
            "zone": "Such as UTC or Europe/Prague: the time is that zone's clock.",
            "rules": "None chosen is every rule.",
        }
        widgets = {
            "zone": forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
            "rules": forms.CheckboxSelectMultiple,
        }

    def __init__(self, data: Mapping[str, Any] | None, instance: MaintenanceWindow) -> None:
        super().__init__(data, instance=instance, label_suffix="")

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"].strip()
        wrong = doubts(Window("", (0,), time(), 1, zone))
        if wrong:
            raise forms.ValidationError(wrong)
        return zone
