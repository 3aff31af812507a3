"""The admin's form of a destination: a field for each option of each kind, checked by the kind."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms

from streams.destinations.base import WrongOption
from streams.destinations.registry import DESTINATIONS, kind_of
from streams.models import Destination
from streams.stages.destination import save_destination

if TYPE_CHECKING:
    DestinationForm = forms.ModelForm[Destination]
else:  # generic for the type checker only
    DestinationForm = forms.ModelForm


def field_name(kind: str, option: str) -> str:
    """Of an option's field."""
    return f"{kind}_{option}"


class DestinationAdminForm(DestinationForm):
    """Of a new one, with the fields of every kind; or of one that is there, whose kind stays."""

    kind = forms.ChoiceField(
        choices=[(kind, adapter.title) for kind, adapter in DESTINATIONS.items()],
        initial=next(iter(DESTINATIONS)),
        widget=forms.RadioSelect,
    )
    # The admin sets it for each request.
    who = ""

    class Meta:
        model = Destination
        fields = ["name", "enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["kind"]
        for kind in [self.instance.kind] if self.instance.pk else DESTINATIONS:
            for option in kind_of(kind).options:
                self.fields[field_name(kind, option.name)] = forms.CharField(
                    required=False,
                    label=option.label,
                    help_text=option.help,
                    initial=_spelled(self.instance.options.get(option.name)),
                    max_length=4_000,
                )

    def _post_clean(self) -> None:
        """Saved here and not in `save`, so that a refusal is an error of the form."""
        super()._post_clean()  # type: ignore[misc]  # Django's own forms extend it too
        if not self.errors:
            self._save(self.cleaned_data)

    def _save(self, given: Mapping[str, Any]) -> None:
        # Cleaning has written into the instance already.
        kept = Destination.objects.get(pk=self.instance.pk) if self.instance.pk else None
        kind = kept.kind if kept else given["kind"]
        names = [option.name for option in kind_of(kind).options]
        options = {name: given[field_name(kind, name)] for name in names}
        try:
            self.instance = save_destination(
                *(self.who, given["name"], options),
                kind=kind,
                enabled=given["enabled"],
                kept=kept,
            )
        except WrongOption as error:
            self.add_error(field_name(kind, error.field), error.sentence)


def _spelled(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
