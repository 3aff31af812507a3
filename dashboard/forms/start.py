"""The start page's forms: where to look for tables, and which one to watch."""

from typing import Any

from django import forms

from streams.models import Stream


class PlaceForm(forms.Form):
    """Where DynamoDB is. Everything may be empty: then it is the server's own region."""

    region = forms.CharField(
        required=False,
        max_length=40,
        help_text="Like eu-central-1; empty for the server's default region.",
    )
    table = forms.CharField(
        required=False,
        max_length=300,
        label="Only this table",
        help_text="Its name or ARN; empty lists the first hundred.",
    )
    endpoint_url = forms.CharField(
        required=False,
        max_length=300,
        label="Endpoint URL",
        help_text="Only for a stand-in such as DynamoDB Local or moto: http://127.0.0.1:8000.",
    )
    role_arn = forms.CharField(
        required=False,
        max_length=300,
        label="Role ARN",
        help_text="A role to assume, for another account.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def given(self) -> dict[str, str]:
        """The options that are filled in."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class WatchForm(forms.Form):
    """One found table, under a name, from a start."""

    name = forms.CharField(max_length=80)
    table = forms.CharField(max_length=300)
    region = forms.CharField(required=False, max_length=40)
    endpoint_url = forms.CharField(required=False, max_length=300)
    role_arn = forms.CharField(required=False, max_length=300)
    start = forms.ChoiceField(choices=Stream.Start.choices[:2])

    def options(self) -> dict[str, str]:
        names = ("table", "region", "endpoint_url", "role_arn")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}
