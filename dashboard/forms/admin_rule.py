"""The builder's form in the admin: the same fields and checks, saved through the rulebook."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction

from dashboard.forms.rule import RuleForm
from streams import locks, rulebook
from streams.alerting.definition import RuleError
from streams.models import Rule
from streams.rule_diff import differences

if TYPE_CHECKING:
    RuleModelForm = forms.ModelForm[Rule]
else:  # generic for the type checker only
    RuleModelForm = forms.ModelForm


class RuleAdminForm(RuleModelForm):
    # The admin sets it for each request.
    who = ""

    class Meta:
        model = Rule
        fields: list[str] = []

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
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
        for name in ("query", "then_query"):
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
            with transaction.atomic():
                if rule:
                    _refuse_moved(rule, self.cleaned_data)
                self.instance = rulebook.save(
                    self._form.content(), self.who, self.cleaned_data["why"], rule=rule
                )
        except RuleError as error:
            self._form.refused(error)

    @property
    def changed_data(self) -> list[str]:
        """What the admin's own log says of it."""
        if not self.is_bound or self.errors:
            return []
        return [each.field for each in differences(self._before, self._form.content())]


def _refuse_moved(rule: Rule, given: Mapping[str, Any]) -> None:
    """Two people's edits are never mixed by chance."""
    locks.wait(locks.ALERTING)  # as everybody does who changes a rule
    now = Rule.objects.get(pk=rule.pk)
    if given["seen_version"] not in (None, now.version):
        raise RuleError(
            "",
            f"{now.changed_by} saved version {now.version} meanwhile. Open the rule anew.",
        )
