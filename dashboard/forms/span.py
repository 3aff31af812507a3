"""A field for a stretch of time, as people write it."""

from typing import Any

from django import forms

from streams.models.rule import LONGEST
from streams.span import parse_span, spell_span


class SpanField(forms.CharField):
    """Whole seconds, from `15 min`, `1 h 30 min`, `2 d` or a number of seconds; an empty one is
    None, or 0 with `empty_is_none=False`."""

    def __init__(self, *, empty_is_none: bool = True, **kwargs: Any) -> None:
        self._empty = None if empty_is_none else 0
        super().__init__(required=False, max_length=40, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return self._empty
        try:
            seconds = parse_span(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if seconds > LONGEST:
            raise forms.ValidationError(f"At most {spell_span(LONGEST)}.")
        return seconds

    def prepare_value(self, value: Any) -> Any:
        return spell_span(value) if isinstance(value, int) else value
