"""The evaluator of a rule: the same for live matches, for backtests and for previews.

It is pure: the same hits with the same clocks give the same happenings, however time is sliced.
"""

from streams.alerting.absence import AbsenceEvaluator
from streams.alerting.counting import CountEvaluator
from streams.alerting.definition import Absence, Count, Definition, Following, Health, Rate
from streams.alerting.each import EachEvaluator
from streams.alerting.following import MissingEvaluator, ThenEvaluator
from streams.alerting.rate import RateEvaluator
from streams.alerting.steps import (
    Evaluator,
    Grew,
    Happening,
    Hit,
    Opened,
    Resolved,
    State,
    Step,
    Suppressed,
)

__all__ = [
    "VERSION",
    "Evaluator",
    "Grew",
    "Happening",
    "Hit",
    "Opened",
    "Resolved",
    "State",
    "Step",
    "Suppressed",
    "evaluator_of",
]

# Grows when the same matches would give other alerts; a backtest says by which it was made.
VERSION = 1


def evaluator_of(definition: Definition) -> Evaluator:
    """ValueError for a health rule: no matches make its alerts."""
    match definition.params:
        case Count():
            return CountEvaluator(definition, definition.params)
        case Rate():
            return RateEvaluator(definition, definition.params)
        case Absence():
            return AbsenceEvaluator(definition, definition.params)
        case Following(expect="then"):
            return ThenEvaluator(definition, definition.params)
        case Following():
            return MissingEvaluator(definition, definition.params)
        case Health():
            raise ValueError("A health rule is not evaluated by matches.")
    return EachEvaluator(definition)
