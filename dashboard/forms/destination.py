"""The form of a destination: its name, and what its kind needs."""

from typing import Any

from django import forms

from streams.destinations.base import WrongOption
from streams.destinations.registry import kind_of
from streams.models import Destination
from streams.stages.destination import save_destination


class DestinationForm(forms.Form):
    name = forms.CharField(
        max_length=80, help_text="As rules name it, such as “On call” or “Shop's team”."
    )
    enabled = forms.BooleanField(
        required=False,
        initial=True,
        label="In use",
        help_text="Switched off, nothing is sent; what waits stays.",
    )

    def __init__(self, data: Any, kind: str, kept: Destination | None = None) -> None:
        initial = {}
        if kept:
            options = {name: _spelled(value) for name, value in kept.options.items()}
            initial = {**options, "name": kept.name, "enabled": kept.enabled}
        super().__init__(data, initial=initial, label_suffix="")
        self._kind, self._kept = kind, kept
        self._options = kind_of(kind).options
        for option in self._options:
            self.fields[option.name] = forms.CharField(
                label=option.label, help_text=option.help, max_length=4_000
            )
        self.order_fields(["name", *(option.name for option in self._options), "enabled"])

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Destination.objects.filter(name=name)
        if (others.exclude(pk=self._kept.pk) if self._kept else others).exists():
            raise forms.ValidationError("There is a destination of this name already.")
        return name

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        try:
            if not self.errors:
                kind_of(self._kind).of(self._given())
        except WrongOption as error:
            self.add_error(error.field, error.sentence)
        return given

    def apply(self, who: str) -> Destination:
        """Save it."""
        data = self.cleaned_data
        return save_destination(
            who,
            data["name"],
            self._given(),
            kind=self._kind,
            enabled=data["enabled"],
            kept=self._kept,
        )

    def _given(self) -> dict[str, Any]:
        return {option.name: self.cleaned_data[option.name] for option in self._options}


def _spelled(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
