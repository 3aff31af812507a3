"""What a person fills in to handle a problem or to settle a record."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User

from streams.stages import handle

# So many people are offered as assignees; another can be typed nowhere, so it is generous.
_MOST_PEOPLE = 300

_SPANS = {
    "1h": ("for an hour", timedelta(hours=1)),
    "8h": ("for 8 hours", timedelta(hours=8)),
    "1d": ("for a day", timedelta(days=1)),
    "7d": ("for a week", timedelta(days=7)),
    "30d": ("for 30 days", timedelta(days=30)),
}


class HandleForm(forms.Form):
    """One deed on one or many problems. `deed` and what it needs; the note is free."""

    deed = forms.ChoiceField(
        choices=[(name, name) for name in ("acknowledge", "resolve", "ignore", "reopen")]
    )
    problem = forms.TypedMultipleChoiceField(coerce=int)
    note = forms.CharField(required=False, max_length=1_000)
    assignee = forms.CharField(required=False, max_length=150)
    span = forms.ChoiceField(required=False, choices=[("", "–"), *((n, n) for n in _SPANS)])
    sightings = forms.IntegerField(required=False, min_value=1, max_value=1_000_000_000)

    def __init__(self, data: Any, who: str) -> None:
        super().__init__(data)
        self._who = who
        chosen: Any = self.fields["problem"]
        # Any number: those that are gone or resolved meanwhile are passed over.
        chosen.choices = [(n, n) for n in data.getlist("problem")[:1_000] if _is_number(n)]
        chosen.error_messages["required"] = "Choose a problem first."

    def clean_assignee(self) -> str:
        name: str = self.cleaned_data["assignee"]
        if name and not User.objects.filter(username=name, is_active=True).exists():
            raise forms.ValidationError(f"There is no user {name!r}.")
        return name

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("deed") == "ignore" and not (given.get("span") or given.get("sightings")):
            raise forms.ValidationError("Say for how long, or for how many sightings.")
        return given

    def apply(self) -> str:
        """Do it; a sentence on what came of it. NotResolvable says why it cannot be."""
        given = self.cleaned_data
        ids, note, who = given["problem"], given["note"].strip(), self._who
        deeds: dict[str, tuple[str, Callable[[], int]]] = {
            "acknowledge": (
                "Acknowledged",
                lambda: handle.acknowledge(ids, who, note, given["assignee"]),
            ),
            "resolve": ("Resolved", lambda: handle.resolve_by_hand(ids, who, note)),
            "reopen": ("Opened again", lambda: handle.reopen(ids, who, note)),
            "ignore": (
                "Ignored",
                lambda: handle.ignore(
                    ids,
                    who,
                    note,
                    span=_SPANS[given["span"]][1] if given["span"] else None,
                    sightings=given["sightings"],
                ),
            ),
        }
        word, deed = deeds[given["deed"]]
        done = deed()
        passed = len(ids) - done
        rest = f" {passed} had been handled before." if passed else ""
        return f"{word}: {done}.{rest}"

    @property
    def sentence(self) -> str:
        """What is wrong with it."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


def spans() -> list[tuple[str, str]]:
    return [(name, label) for name, (label, _) in _SPANS.items()]


def people(who: str) -> list[str]:
    """Who can look after a problem, the reader first."""
    found = User.objects.filter(is_active=True).exclude(username=who).order_by("username")
    return [who, *found.values_list("username", flat=True)[:_MOST_PEOPLE]]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
