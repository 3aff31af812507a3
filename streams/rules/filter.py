"""A compiled filter: what both spellings give, and all that can be asked of it."""

from collections.abc import Mapping
from typing import Any

from streams.rules.deciding.evaluate import prepare
from streams.rules.deciding.explain import Explanation, explain
from streams.rules.errors import EventError
from streams.rules.expressions.suggest import FilterWarning
from streams.rules.filter_form import Form, has_conditions, paths_of
from streams.rules.json_text import read_event
from streams.rules.spelling.sentence import sentence_of
from streams.rules.spelling.spellings import expression_of, pattern_of


class Filter:
    """Nothing in it changes once it is made, so threads may share it."""

    __slots__ = ("_doubled", "_holds", "form", "kind", "text", "warnings")

    def __init__(
        self, form: Form, text: str, kind: str, warnings: tuple[FilterWarning, ...] = ()
    ) -> None:
        """`text` is what was compiled, `kind` is "pattern" or "expression".

        `warnings` are doubts about a filter that works, such as an attribute never seen.
        """
        self.form = form
        self.text = text
        self.kind = kind
        self.warnings = warnings
        self._holds = prepare(form)
        self._doubled = not has_conditions(form)

    def matches(self, event: Mapping[str, Any]) -> bool:
        """EventError if the event is no dict, is nested too deep, or holds what JSON cannot."""
        if not isinstance(event, dict):
            raise EventError("An event is a JSON object")
        return self._matches(event)

    def matches_json(self, text: str | bytes) -> bool:
        """The same for an event as text: numbers keep their spelling, and doubled keys all count.

        Filters with conditions are meant for changes, which have no doubled keys: for those the
        last one counts. EventError if the text is no JSON object.
        """
        return self._matches(read_event(text, self._doubled))

    def _matches(self, event: Any) -> bool:
        try:
            return self._holds(event)
        except RecursionError as error:
            raise EventError("The event is nested too deep") from error

    def explain(self, event: Mapping[str, Any]) -> Explanation:
        """Every condition, true or false, with the values found. Raises as `matches` does."""
        if not isinstance(event, dict):
            raise EventError("An event is a JSON object")
        try:
            return explain(self.form, event)
        except RecursionError as error:
            raise EventError("The event is nested too deep") from error

    def pattern(self) -> dict[str, Any] | None:
        """The filter as an event pattern; None if it asks for what patterns cannot say."""
        return pattern_of(self.form)

    def expression(self) -> str | None:
        """The filter as a text expression; None if expressions cannot say it."""
        return expression_of(self.form)

    def sentence(self) -> str:
        """The filter in words, as a phrase without capital or full stop."""
        return sentence_of(self.form)

    def paths(self) -> frozenset[str]:
        """All paths the filter asks for."""
        return paths_of(self.form)
