"""The form of a saved view."""

from typing import TYPE_CHECKING, Any

from django import forms

from streams.models import SavedView

if TYPE_CHECKING:
    ViewForm = forms.ModelForm[SavedView]
else:  # generic for the type checker only
    ViewForm = forms.ModelForm


class SavedViewForm(ViewForm):
    class Meta:
        model = SavedView
        fields = ("name", "query", "since", "until", "shared")
        labels = {
            "query": "Filter",
            "since": "From",
            "until": "To",
            "shared": "Shared: everybody who may log in sees it",
        }
        help_texts = {
            "since": "Such as 2h, 7d or 2026-11-21T10:00Z; empty for all there is.",
            "until": "Empty for now.",
        }
        widgets = {"query": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = SavedView.objects.filter(owner=self.instance.owner, name=name)
        if others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("You have a view of this name already.")
        return name
