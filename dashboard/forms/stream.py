"""The admin's forms of a stream. Saving is the engine's: it checks with the source first, and what
it refuses is shown as an error of the form, with the fix in words."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from streams.errors import SourceError
from streams.models import Stream
from streams.stages.add import add_stream, change_options

_OPTIONS = ("table", "region", "endpoint_url", "role_arn")


if TYPE_CHECKING:
    StreamForm = forms.ModelForm[Stream]
else:  # generic for the type checker only
    StreamForm = forms.ModelForm


class StreamOptionsForm(StreamForm):
    """Where a DynamoDB stream is; credentials come from the server's own environment."""

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

    # The admin sets it for each request.
    who = ""

    class Meta:
        model = Stream
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _OPTIONS:
            if name in self.fields and self.instance.pk:
                self.fields[name].initial = self.instance.options.get(name, "")

    def options(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in _OPTIONS if self.cleaned_data.get(name)}

    def apply(self) -> None:
        change_options(self.instance, self.options(), self.who)

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

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("start") == Stream.Start.TIME and not cleaned.get("start_time"):
            self.add_error("start_time", "Say from which moment, or choose another start.")
        return cleaned

    def apply(self) -> None:
        data = self.cleaned_data
        start = data["start_time"] if data["start"] == Stream.Start.TIME else data["start"]
        self.instance = add_stream(data["name"], "dynamodb", self.options(), start, self.who)
