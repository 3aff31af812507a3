"""The builder's form in the admin: the same fields and checks, saved through the rulebook."""

from typing import TYPE_CHECKING, Any

from django import forms

from dashboard.forms.rule import RuleForm
from streams import rulebook
from streams.alerting.definition import RuleError
from streams.models import Rule
from streams.rule_diff import differences

if TYPE_CHECKING:
    RuleModelForm = forms.ModelForm[Rule]
else:  # generic for the type checker only
    RuleModelForm = forms.ModelForm

_LINES = ("query", "then_query")


class RuleAdminForm(RuleModelForm):
    # The admin sets it for each request.
    who = ""

    class Meta:
        model = Rule
        fields: list[str] = []

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None:
            data = data.copy()
            for name in _LINES:  # browsers send \r\n, which is no change of a rule
                data[name] = data.get(name, "").replace("\r\n", "\n")
        super().__init__(data, *args, **kwargs)
        known = self.instance.pk is not None
        self._before = rulebook.content_of(self.instance) if known else None
        self._form = RuleForm(
            data,
            content=self._before or {},
            saving=True,
            new=not known,
            version=self.instance.version,
        )
        self.fields = self._form.fields
        for name in _LINES:
            # In one line, the lines of a pattern would be lost with the first edit.
            self.fields[name].widget = forms.Textarea({"rows": "3", "spellcheck": "false"})
        self.initial = dict(self._form.initial)

    def full_clean(self) -> None:
        """Saved here and not in `save`, so that a refusal is an error of the form."""
        self._errors = self._form.errors
        if self.is_bound:
            self.cleaned_data = self._form.cleaned_data
            if not self._errors:
                self._save()

    def _save(self) -> None:
        rule = self.instance if self.instance.pk else None
        try:
            self.instance = rulebook.save(
                self._form.content(),
                self.who,
                self.cleaned_data["why"],
                rule=rule,
                seen=self.cleaned_data["seen_version"],
            )
        except RuleError as error:
            self._form.refused(error)

    @property
    def changed_data(self) -> list[str]:
        """What the admin's own log says of it."""
        if not self.is_bound or self.errors:
            return []
        return [each.field for each in differences(self._before, self._form.content())]
