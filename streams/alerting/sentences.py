"""What an alert says: one plain sentence of what happened."""

from streams.alerting.definition import Absence, Count, Definition, FirstSeen, Following, Rate
from streams.change import moment
from streams.span import spell_span
from streams.when import spell_moment

_MOST_OF_A_FILTER = 300


def each_sentence(definition: Definition) -> str:
    return f"A change matches: {_filter(definition, 1)}."


def first_seen_sentence(what: FirstSeen, seen: str) -> str:
    if what.what == "attributes":
        name, _, type_ = seen.rpartition(":")
        return f"First seen: the attribute {name or type_} with the type {type_}."
    return f"First seen: {seen} in {what.what}."


def count_sentence(definition: Definition, params: Count, count: int) -> str:
    return (
        f"{count:,} {'change' if count == 1 else 'changes'} within {spell_span(params.window)}: "
        f"{_filter(definition, 1)}."
    )


def rate_sentence(
    definition: Definition, params: Rate, begins: int, count: int, usual: float
) -> str:
    """`begins` is when the window begins, in microseconds; `usual` the mean of the past weeks."""
    more = "More" if count > usual else "Fewer"
    return (
        f"{more} than usual in the {spell_span(params.window)} from "
        f"{spell_moment(moment(begins))}: {count:,}, usually {usual:,.1f}. "
        f"Counted is: {_filter(definition, 1)}."
    )


def absence_sentence(definition: Definition, params: Absence) -> str:
    return f"No change for {spell_span(params.seconds)} of: {_filter(definition, 1)}."


def then_sentence(definition: Definition, params: Following) -> str:
    return (
        f"For the same item, within {spell_span(params.within)}: {_filter(definition, 1)}; "
        f"then {_filter(definition, 2)}."
    )


def missing_sentence(definition: Definition, params: Following) -> str:
    return (
        f"{_filter(definition, 1)}; and within {spell_span(params.within)} it was not followed, "
        f"for the same item, by {_filter(definition, 2)}."
    )


def quiet_sentence(seconds: int) -> str:
    """Why an alert ended by itself."""
    return f"Nothing more came for {spell_span(seconds)}."


def _filter(definition: Definition, part: int) -> str:
    said = definition.filters()[part].sentence()
    return said if len(said) <= _MOST_OF_A_FILTER else f"{said[: _MOST_OF_A_FILTER - 1]}…"
