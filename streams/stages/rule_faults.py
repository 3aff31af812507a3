"""What keeps a rule from working, written at the rule: a sentence, and what to do about it.

A rule that cannot be compiled is left out, one that raises is asked alone; storing goes on.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from time import monotonic
from typing import NamedTuple

from django.db import connection

from streams import rulebook
from streams.alerting.definition import Definition, Health, RuleError
from streams.change import Change
from streams.models import Rule, Stream
from streams.queries.event import facts_of
from streams.rules.events.change_parts import StreamFacts
from streams.rules.filter_form import Form
from streams.rules.matching.constants import narrow
from streams.rules.operators import Exact

# A rule that raises does so for many changes; so often it is noted, by each process.
_NOTE_SECONDS = 60
# After so long without raising again a rule is well.
_WELL_AFTER = "15 minutes"
_RAISED = "Matching failed"
# How the other faults of this page begin; what else stands at a rule is not ours to clear.
_REFUSED = "The rule cannot be used"
_NO_STREAM = "There is no stream"
_NOWHERE = "No stream is what the rule asks for"
_noted: dict[tuple[int, int], float] = {}
# The rules and streams that this process checked last.
_checked: object = None


class Fault(NamedTuple):
    sentence: str
    fix: str


def of_refused(error: RuleError) -> Fault:
    """The fault of a rule that was saved once and cannot be compiled any more."""
    return Fault(
        f"{_REFUSED}: {error.sentence}",
        f"Edit its {error.field} and save it. Until then it matches nothing.",
    )


def note_raised(
    rule_id: int, version: int, stream_name: str, change: Change, error: Exception
) -> None:
    """Note that a rule raised when it was asked about a change."""
    now, key = monotonic(), (rule_id, version)
    if now - _noted.get(key, -_NOTE_SECONDS) < _NOTE_SECONDS:
        return
    _noted[key] = now
    said = f"{type(error).__name__}: {error}"[:200]
    fault = Fault(
        f"{_RAISED} on change {change.sequence} of stream {stream_name} ({said}).",
        "That change was stored, and other rules and changes are matched as ever. Word the rule "
        "in another way, and report this: it is a mistake in Deltawatch.",
    )
    note(rule_id, version, fault)


def note(rule_id: int, version: int, fault: Fault) -> None:
    """Write the fault at the rule, unless the rule is another version by now. Who holds the rule's
    row is not waited for: storing must go on, and the fault is found again."""
    _write("id = %s AND version = %s", [rule_id, version], fault)


def check() -> None:
    """Look through all enabled rules: note what keeps them from working, and clear what does not
    any more. Costs one statement while neither rules nor streams change."""
    global _checked
    _write(
        f"error LIKE %s AND error_at < clock_timestamp() - interval '{_WELL_AFTER}'",
        [f"{_RAISED}%"],
        Fault("", ""),
    )
    streams = [facts_of(stream) for stream in Stream.objects.order_by("pk")]
    state = (rulebook.head(), streams)
    if state == _checked:
        return
    for rule in Rule.objects.filter(enabled=True).order_by("pk"):
        fault = _fault_of(rule, streams)
        if fault:
            note(rule.pk, rule.version, fault)
        elif rule.error.startswith((_REFUSED, _NOWHERE, _NO_STREAM)):
            note(rule.pk, rule.version, Fault("", ""))
    _checked = state


def _write(which: str, values: Sequence[int | str], fault: Fault) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE streams_rule SET error = %s, fix = %s,
                    error_at = CASE WHEN %s <> '' THEN clock_timestamp() END
                WHERE id IN (SELECT id FROM streams_rule WHERE {which}
                             FOR NO KEY UPDATE SKIP LOCKED)""",
            [fault.sentence, fault.fix, fault.sentence, *values],
        )


def _fault_of(rule: Rule, streams: Sequence[StreamFacts]) -> Fault | None:
    try:
        definition = rulebook.definition_of(rule)
        forms = [one.form for one in definition.filters().values()]
    except RuleError as error:
        return of_refused(error)
    known = {facts.name for facts in streams}
    for name in _named_streams(definition, forms):
        if name not in known:
            return _no_stream(name, known)
    if streams and not all(any(narrow(form, s.event()) for s in streams) for form in forms):
        return Fault(
            f"{_NOWHERE}, so it cannot match.",
            "Compare the table, account, region or ARN in it with those of the streams.",
        )
    return None


def _named_streams(definition: Definition, forms: Sequence[Form]) -> Iterator[str]:
    """The streams that the rule names, letter by letter."""
    if isinstance(definition.params, Health):
        yield from definition.params.streams
    for form in forms:
        for field in (field for clause in form for field in clause.fields):
            for test in field.tests if field.path == "stream" else ():
                if isinstance(test, Exact) and isinstance(test.value, str):
                    yield test.value


def _no_stream(name: str, known: set[str]) -> Fault:
    close = get_close_matches(name, known, 1)
    meant = f" Did you mean {close[0]}?" if close else ""
    return Fault(
        f"{_NO_STREAM} {name}, which the rule names.{meant}",
        "Write the name of a stream, or add the stream.",
    )
