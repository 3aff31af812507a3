"""What a person fills in to handle alerts."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.models import User

from streams.stages import answer


class AnswerForm(forms.Form):
    """One deed on one or many alerts. A note must say something; with the others it is free."""

    deed = forms.ChoiceField(choices=[(name, name) for name in ("acknowledge", "resolve", "note")])
    alert = forms.TypedMultipleChoiceField(coerce=int)
    note = forms.CharField(required=False, max_length=1_000)
    owner = forms.CharField(required=False, max_length=150)

    def __init__(self, data: Any, who: str) -> None:
        super().__init__(data)
        self._who = who
        chosen: Any = self.fields["alert"]
        # Any number: those that are gone or resolved meanwhile are passed over.
        chosen.choices = [(n, n) for n in data.getlist("alert")[:1_000] if _is_number(n)]
        chosen.error_messages["required"] = "Choose an alert first."

    def clean_owner(self) -> str:
        name: str = self.cleaned_data["owner"]
        if name and not User.objects.filter(username=name, is_active=True).exists():
            raise forms.ValidationError(f"There is no user {name!r}.")
        return name

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("deed") == "note" and not given.get("note"):
            raise forms.ValidationError("The note is empty: write what others should know.")
        return given

    def apply(self) -> str:
        """Do it; a sentence on what came of it."""
        given = self.cleaned_data
        ids, note, who = given["alert"], given["note"], self._who
        deeds: dict[str, tuple[str, Callable[[], int]]] = {
            "acknowledge": (
                "Acknowledged",
                lambda: answer.acknowledge(ids, who, note, given["owner"]),
            ),
            "resolve": ("Resolved", lambda: answer.resolve_by_hand(ids, who, note)),
            "note": ("Noted", lambda: answer.note(ids, who, note)),
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


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
