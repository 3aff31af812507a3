"""What a backtest's numbers say, in a sentence. No match, and nothing to match, are told apart."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from streams.alerting.definition import Definition
from streams.models import Stream
from streams.queries.backtest_result import FIRED, MATCHED, NO_DATA, NO_MATCH, PARTIAL
from streams.queries.search_bins import oldest_change
from streams.queries.search_plan import plan
from streams.queries.seen import known_names
from streams.rules.expressions.suggest import doubt
from streams.rules.filter import Filter
from streams.when import spell_moment

_IMAGES = ("keys", "old", "new")
# History that begins so soon after the time asked for is not worth a word.
_SOON = timedelta(minutes=1)


class Facts(NamedTuple):
    """How many changes were evaluated, matched, and what came of them. `known_to` is how far
    what came before was looked up, None for as far as was needed."""

    evaluated: int
    matched: int
    fired: int
    suppressed: int
    notifications: int
    known_to: datetime | None


def verdict_of(
    facts: Facts,
    definition: Definition,
    streams: Sequence[Stream],
    since: datetime,
    back_to: datetime,
    until: datetime,
) -> tuple[str, str]:
    """The code and the sentence."""
    code, sentence = _verdict(facts, definition, streams, back_to, until)
    if back_to > since:
        return PARTIAL, f"Partial: looked back to {spell_moment(back_to)}. {sentence}"
    if facts.known_to:
        past = "the usual numbers were" if definition.kind == "rate" else "what was seen before was"
        known = f"{past} looked up back to {spell_moment(facts.known_to)}"
        return PARTIAL, f"Partial: {known}. {sentence}"
    oldest = oldest_change(streams)
    if oldest is not None and oldest > since + _SOON:
        sentence += f" Nothing older than {spell_moment(oldest)} is stored."
    return code, sentence


def _verdict(
    facts: Facts,
    definition: Definition,
    streams: Sequence[Stream],
    back_to: datetime,
    until: datetime,
) -> tuple[str, str]:
    evaluated = f"Evaluated {_counted(facts.evaluated, 'change')}"
    if facts.fired:
        return FIRED, _fired(facts)
    if facts.matched:
        found = _counted(facts.matched, "match", "matches")
        return MATCHED, f"{evaluated}, {found}; no alert would have come of that."
    if not facts.evaluated:
        when = f"from {spell_moment(back_to)} to {spell_moment(until)}"
        return NO_DATA, f"No changes are stored {when}."
    if doubts := list(_doubts(definition.filters().values(), streams)):
        return NO_DATA, f"No data matched the filter. {' '.join(doubts)}"
    return NO_MATCH, f"{evaluated}, 0 matches."


def _fired(facts: Facts) -> str:
    said = f"Would have fired {_counted(facts.fired, 'time')}"
    more = []
    if facts.suppressed:
        more.append(f"{facts.suppressed:,} more held back by the cool-down")
    if facts.notifications != facts.fired:
        more.append(f"{_counted(facts.notifications, 'notification')} after the digest")
    return f"{said} ({', '.join(more)})." if more else f"{said}."


def _doubts(filters: Iterable[Filter], streams: Sequence[Stream]) -> Iterable[str]:
    """Why a filter finds nothing: what it names was never seen."""
    names = known_names([stream.pk for stream in streams])
    for filter_ in filters:
        if not any(plan(filter_, stream) for stream in streams):
            yield f"No stream has changes for which this can hold: {filter_.sentence()}."
            continue
        for path in sorted(filter_.paths()):
            image, _, attribute = path.partition(".")
            found = doubt(attribute, 0, names or ()) if image in _IMAGES and attribute else None
            if found and names:
                yield found.sentence


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
