"""The admin's forms of a stream. Saving is the engine's: it checks with the source first, and what
it refuses is shown as an error of the form, with the fix in words."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from streams.errors import SourceError
from streams.models import Stream
from streams.queries.retention import foretold
from streams.stages.add import (
    add_stream,
    change_ignored,
    change_indexed,
    change_keep_days,
    change_options,
    parse_indexed,
    parse_names,
)

_OPTIONS = ("table", "region", "endpoint_url", "role_arn")


if TYPE_CHECKING:
    StreamForm = forms.ModelForm[Stream]
else:  # generic for the type checker only
    StreamForm = forms.ModelForm


class StreamOptionsForm(StreamForm):
    """Where a DynamoDB stream is, and how long its changes are kept; credentials come from the
    server's own environment."""

    table = forms.CharField(help_text="The table's name or ARN.")
    region = forms.CharField(
        required=False, help_text="Like eu-central-1; empty for the server's default region."
    )
    endpoint_url = forms.CharField(
        required=False,
        label="Endpoint URL",
        help_text="Only for something that stands in for AWS, like http://127.0.0.1:8000.",
    )
    role_arn = forms.CharField(
        required=False, label="Role ARN", help_text="A role to assume, for another account."
    )

    keep_days = forms.IntegerField(
        required=False,
        min_value=2,
        max_value=3650,
        label="Keep changes for (days)",
        help_text="Older changes are dropped; empty keeps them for ever.",
    )

    indexed = forms.CharField(
        required=False,
        label="Indexed attributes",
        help_text="Search finds their values by an index; separated by commas. Empty: those that "
        "look like ids; a dash: none. Another choice counts for the changes of the next day on.",
    )

    ignored = forms.CharField(
        required=False,
        label="Ignored fields",
        help_text="A change of nothing but these top-level attributes is stored like any other, "
        "but hidden and counted where changes are listed; separated by commas.",
    )

    # The admin sets it for each request.
    who = ""
    # Each form's own: saves through the engine; raises SourceError with what must be mended.
    apply: Callable[[], None]

    class Meta:
        model = Stream
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _OPTIONS:
            self.fields[name].initial = self.instance.options.get(name, "")
        names = self.instance.indexed_attributes
        self.fields["indexed"].initial = ", ".join(names) or "-" if names is not None else ""
        self.fields["ignored"].initial = ", ".join(self.instance.ignored_fields)

    def options(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in _OPTIONS if self.cleaned_data.get(name)}

    def _post_clean(self) -> None:
        """After all checks of the form alone, so that the source is asked only once it is whole.

        Saving here instead of in `save` lets a refusal be an error of the form.
        """
        super()._post_clean()  # type: ignore[misc]  # Django's own forms extend it too
        if self.errors:
            return
        try:
            self.apply()
        except SourceError as error:
            self.add_error(
                None, ValidationError([error.sentence, error.fix] if error.fix else str(error))
            )


class ChangeStreamForm(StreamOptionsForm):
    """Other options, or another retention. Fewer days are saved only after what they drop has
    been shown for that very number and was confirmed."""

    confirm_drop = forms.BooleanField(
        required=False,
        label="Drop these changes",
        help_text="Needed to keep fewer days than now; what will be dropped is shown first.",
    )
    shown_days = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Cleaning writes the new number into the instance, as it is a field of the model's.
        self.kept = self.fields["keep_days"].initial = self.instance.keep_days

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        days = cleaned.get("keep_days")
        if days is None or (self.kept is not None and days >= self.kept):
            return cleaned
        if not (cleaned.get("confirm_drop") and cleaned.get("shown_days") == days):
            self._ask(days)
        return cleaned

    def _ask(self, days: int) -> None:
        sentence = f"{foretold(self.instance, days)} To confirm, tick this and save again."
        self.add_error("confirm_drop", sentence)
        # The form is shown once more, with the number that this sentence is about and no tick.
        shown = {**self.data.dict(), "shown_days": str(days)}  # type: ignore[attr-defined]
        self.data = {name: value for name, value in shown.items() if name != "confirm_drop"}

    def apply(self) -> None:
        stored = {name: value for name, value in self.instance.options.items() if value}
        if self.options() != stored:
            change_options(self.instance, self.options(), self.who)
        if self.cleaned_data["keep_days"] != self.kept:
            self.instance.keep_days = self.kept
            change_keep_days(self.instance, self.cleaned_data["keep_days"], self.who)
        indexed = parse_indexed(self.cleaned_data["indexed"])
        if indexed != self.instance.indexed_attributes:
            change_indexed(self.instance, indexed, self.who)
        if "ignored" in self.changed_data:
            change_ignored(self.instance, parse_names(self.cleaned_data["ignored"]), self.who)


class AddStreamForm(StreamOptionsForm):
    start = forms.ChoiceField(
        choices=Stream.Start.choices,
        initial=Stream.Start.LATEST,
        help_text="DynamoDB keeps records for 24 hours.",
    )
    start_time = forms.CharField(
        required=False,
        help_text="For “from a moment”: 2026-11-21T10:00:00Z, or 2h for two hours ago.",
    )

    class Meta(StreamOptionsForm.Meta):
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keep_days"].initial = settings.KEEP_DAYS

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("start") == Stream.Start.TIME and not cleaned.get("start_time"):
            self.add_error("start_time", "Say from which moment, or choose another start.")
        return cleaned

    def apply(self) -> None:
        data = self.cleaned_data
        start = data["start_time"] if data["start"] == Stream.Start.TIME else data["start"]
        self.instance = add_stream(
            data["name"],
            "dynamodb",
            self.options(),
            start,
            self.who,
            data["keep_days"],
            parse_indexed(data["indexed"]),
            parse_names(data["ignored"]),
        )
