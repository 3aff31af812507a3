"""A rule in words: what it asks, when it becomes an alert, and how that ends. Plain Python."""

from streams.alerting.definition import (
    Absence,
    Count,
    Definition,
    FirstSeen,
    Following,
    Health,
    Rate,
)
from streams.rules import compile_text
from streams.span import spell_span

_HEALTH = {
    "lag": "{streams} lags by more than {limit}",
    "stalled": "{streams} is stalled: it is not read any more",
    "loss": "{streams} has less than {limit} left before unread changes are lost",
    "gap": "changes of {streams} may be missing: there is a gap",
    "throttled": "reads of {streams} are throttled",
    "worker": "no worker reads streams",
    "beat": "nothing plans the work: beat is gone",
    "deliveries": "deliveries to a destination fail",
}
# What is said as "in stream orders" and "on REMOVE".
_PLACES = {"operation", "table", "stream", "account", "region"}


def sentence_of(definition: Definition) -> str:
    """One or two sentences: when it alerts, with what groups, and how an alert resolves."""
    return " ".join(part for part in (f"Alerts {_when(definition)}.", _ends(definition)) if part)


def _when(definition: Definition) -> str:
    where = _where(definition.query)
    match definition.params:
        case Count(threshold, window):
            many = f"{threshold:,} change{'' if threshold == 1 else 's'}"
            within = f"within {spell_span(window)}"
            return f"on at least {many} {within}{where}{_grouped(definition)}"
        case Rate():
            return _rate(definition.params, where)
        case Absence(seconds):
            return f"when for {spell_span(seconds)} there was no change{where}"
        case FirstSeen(what):
            among = f", in changes{where}" if where else ""
            return f"on {_new(what)} that was never seen before{among}"
        case Following():
            return _following(definition, definition.params)
        case Health():
            return _health(definition.params)
    return f"on each change{where}{_grouped(definition)}"


def _new(what: str) -> str:
    is_any = what == "attributes"
    return "an attribute, or a type of one," if is_any else f"a value of {what}"


def _following(definition: Definition, params: Following) -> str:
    is_followed = "is followed" if params.expect == "then" else "is not followed"
    within = spell_span(params.within)
    return (
        f"when a change{_where(definition.query)} {is_followed} within {within} by one of the same"
        f" item{_where(definition.then_query)}"
    )


def _where(query: str) -> str:
    """Behind "change": " where status is paid", " in stream orders"; "" for every change."""
    if not query.strip():
        return ""
    filter_ = compile_text(query)
    said = filter_.sentence()
    place_only = filter_.paths() <= _PLACES and said.startswith(("in ", "on "))
    return f" {said}" if place_only else f" where {said}"


def _grouped(definition: Definition) -> str:
    groups = definition.group_by
    return f", apart for each value of {' and '.join(groups)}" if groups else ""


def _rate(params: Rate, where: str) -> str:
    bounds = []
    if params.direction in ("above", "both"):
        bounds.append(f"more than {params.ratio:g} times")
    if params.direction in ("below", "both"):
        bounds.append(f"less than 1/{params.ratio:g} of")
    weeks = "week" if params.weeks == 1 else f"{params.weeks} weeks"
    return (
        f"when within {spell_span(params.window)} there are {' or '.join(bounds)} the usual number"
        f" of changes{where}; usual is the mean of the same time in the past {weeks}, where that is"
        f" at least {params.least:g}"
    )


def _health(params: Health) -> str:
    streams = " or ".join(params.streams) if params.streams else "a stream"
    said = _HEALTH[params.what].format(streams=streams, limit=spell_span(params.limit))
    return f"when {said}"


def _ends(definition: Definition) -> str:
    cool_down = definition.cool_down_seconds
    ends = ""
    if definition.kind == "health":
        ends = "It resolves when that is over."
    elif definition.kind == "absence":
        ends = "It resolves with the next such change."
    elif definition.kind in ("match", "first-seen", "sequence"):
        ends = (
            f"It resolves {spell_span(definition.resolve_seconds)} after the last one."
            if definition.resolve_seconds
            else "It is resolved by hand."
        )
    if cool_down:
        ends = f"{ends} The next one comes {spell_span(cool_down)} later at the earliest.".strip()
    return ends
