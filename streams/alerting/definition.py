"""What a rule says, checked: the one form that matching, evaluating and backtesting read.

Times are whole seconds. `check` gives a `RuleError` that names the field and says what to write.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec

from streams.errors import DeltawatchError
from streams.rules import Filter, PatternError, compile_text

DAY = 86_400
# Beyond so many a window would not fit in memory for each of many groups.
MOST_COUNTED = 10_000
MOST_GROUPED_BY = 4


class RuleError(DeltawatchError):
    """A rule that cannot work as it is written. `field` is the name of what is wrong; within
    "params", `setting` is the one of them, where one is to blame."""

    def __init__(self, field: str, sentence: str, setting: str = "") -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence
        self.setting = setting


class Each(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="match", tag_field="kind"):
    """Every match is an alert, or belongs to the open one of its group."""


class Count(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="count", tag_field="kind"):
    """At least `threshold` matches in any `window` seconds."""

    threshold: int
    window: int


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="rate", tag_field="kind"):
    """The number of matches in a window of the clock, against the mean of the same window of the
    week in past weeks: above `ratio` times it, or below it divided by `ratio`. Asked only where
    that mean is at least `least` and at least `weeks_needed` past weeks were watched."""

    ratio: float
    window: int = 3600
    direction: Literal["above", "below", "both"] = "above"
    weeks: int = 4
    weeks_needed: int = 1
    least: float = 10.0


class Absence(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="absence", tag_field="kind"
):
    """No match for `seconds`."""

    seconds: int


class FirstSeen(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="first-seen", tag_field="kind"
):
    """A new attribute or a new type of one ("attributes"), or a new value of a field (its path,
    such as "new.status")."""

    what: str = "attributes"


class Following(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sequence", tag_field="kind"
):
    """After a match of the filter, one of the second filter for the same item within so many
    seconds: an alert when it comes ("then"), or when it does not ("missing")."""

    within: int
    expect: Literal["then", "missing"] = "then"


HEALTH = ("lag", "stalled", "loss", "gap", "throttled", "worker", "beat", "deliveries")


class Health(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="health", tag_field="kind"
):
    """Of every stream, or of the named ones: lag of more than `limit` seconds; stalled; less than
    `limit` seconds left before unread changes are lost; a gap; throttled. Of the installation: no
    worker, no beat, deliveries that fail."""

    what: Literal["lag", "stalled", "loss", "gap", "throttled", "worker", "beat", "deliveries"]
    limit: int = 0
    streams: tuple[str, ...] = ()


Params = Each | Count | Rate | Absence | FirstSeen | Following | Health


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was checked. `group_by` and `query` as the rule has them."""

    kind: str
    query: str = ""
    then_query: str = ""
    params: Params
    group_by: tuple[str, ...] = ()
    resolve_seconds: int = 900
    cool_down_seconds: int = 0

    def filters(self) -> dict[int, Filter]:
        """By part: 1 the rule's filter, 2 what is to follow in a sequence; none for health."""
        if self.kind == "health":
            return {}
        parts = {1: self.query}
        if self.kind == "sequence":
            parts[2] = self.then_query
        return {part: _filter(text) for part, text in parts.items()}


def define(rule: Mapping[str, Any]) -> Definition:
    """The definition of a rule's fields (a dict with kind, query, then_query, params, group_by and
    the seconds; others are ignored). RuleError."""
    kind = str(rule.get("kind", "match"))  # of a new rule it is a member of its choices
    try:
        params = msgspec.convert({"kind": kind, **rule.get("params", {})}, Params)
    except msgspec.ValidationError as error:
        raise RuleError("params", f"The rule's settings are not complete: {error}.") from error
    _check(params)
    definition = Definition(
        kind=kind,
        query="" if kind == "health" else rule.get("query", ""),
        then_query=rule.get("then_query", "") if kind == "sequence" else "",
        params=params,
        group_by=_groups(kind, rule.get("group_by") or ()),
        resolve_seconds=rule.get("resolve_seconds", 900),
        cool_down_seconds=rule.get("cool_down_seconds", 0),
    )
    for part, field in ((1, "query"), (2, "then_query")):
        _compiles(definition, part, field)
    return definition


# A definition is checked by compiling what is used right after.
_filter = lru_cache(maxsize=2_000)(compile_text)


def _compiles(definition: Definition, part: int, field: str) -> None:
    text = definition.query if part == 1 else definition.then_query
    if part == 2 and definition.kind == "sequence" and not text.strip():
        raise RuleError(field, "Say which change is to follow: this filter is empty.")
    try:
        _filter(text)
    except PatternError as error:
        raise RuleError(field, str(error)) from error


def _groups(kind: str, paths: Sequence[str]) -> tuple[str, ...]:
    if len(paths) > MOST_GROUPED_BY:
        raise RuleError("group_by", f"Group by at most {MOST_GROUPED_BY} fields.")
    if kind == "sequence":
        return ("item",)  # that is what a sequence is
    if paths and kind in ("absence", "rate", "first-seen", "health"):
        raise RuleError("group_by", f"A rule of the kind {kind} has no groups: leave it empty.")
    for path in paths:
        root, _, rest = path.partition(".")
        if path in ("item", "stream", "operation") or (root in ("keys", "old", "new") and rest):
            continue
        raise RuleError(
            "group_by",
            f"{path!r} is no group. Write item, stream, operation, keys.…, old.… or new.…",
        )
    return tuple(paths)


def _check(params: Params) -> None:
    """Numbers that no rule can work with."""
    for wrong, setting, sentence in _doubts(params):
        if wrong:
            raise RuleError("params", sentence, setting)


# What is wrong, if it is; the setting that is to blame; what to write.
_Doubt = tuple[bool, str, str]


def _doubts(params: Params) -> list[_Doubt]:
    match params:
        case Count():
            return _count_doubts(params)
        case Rate():
            return _rate_doubts(params)
        case Absence(seconds):
            wrong = not 10 <= seconds <= 30 * DAY
            return [(wrong, "seconds", "The time is from 10 seconds to 30 days.")]
        case Following(within, _):
            wrong = not 1 <= within <= 7 * DAY
            return [(wrong, "within", "The time is from 1 second to 7 days.")]
        case FirstSeen(what):
            root, _, rest = what.partition(".")
            known = what == "attributes" or (root in ("keys", "old", "new") and bool(rest))
            sentence = f"{what!r} is not known: write attributes, or a path as new.status."
            return [(not known, "what", sentence)]
        case Health():
            return _health_doubts(params)
    return []


def _count_doubts(params: Count) -> list[_Doubt]:
    few_or_many = not 1 <= params.threshold <= MOST_COUNTED
    long = not 1 <= params.window <= 30 * DAY
    return [
        (few_or_many, "threshold", f"The count is a number from 1 to {MOST_COUNTED:,}."),
        (long, "window", "The window is from 1 second to 30 days."),
    ]


def _rate_doubts(params: Rate) -> list[_Doubt]:
    odd = params.window not in (300, 900, 3_600, 21_600, DAY)
    unneeded = not 1 <= params.weeks_needed <= params.weeks
    return [
        (not 1 < params.ratio <= 1_000, "ratio", "The ratio is a number above 1, up to 1,000."),
        (odd, "window", "The window of a rate is 300, 900, 3600, 21600 or 86400 seconds."),
        (not 1 <= params.weeks <= 8, "weeks", "Compare with 1 to 8 past weeks."),
        (
            unneeded,
            "weeks_needed",
            "The weeks that are needed are from 1 to the number of weeks.",
        ),
        (not 1 <= params.least <= 1e9, "least", "The least usual number is 1 or more."),
    ]


def _health_doubts(params: Health) -> list[_Doubt]:
    needs = params.what in ("lag", "loss")
    none = needs and not 1 <= params.limit <= 365 * DAY
    return [
        (none, "limit", f"Say how many seconds, for {params.what}."),
        (not needs and params.limit != 0, "limit", f"{params.what} has no limit: leave it out."),
    ]
