"""Rules in a scenario: whatever happened, there is a match if and only if its change is stored."""

from collections import Counter

from streams import rulebook
from streams.models import Match, Rule, Sighting, Stream
from streams.queries.event import event_of, facts_of
from streams.queries.rows import fetch
from streams.rules import compile_text
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import Wanted

# Each matches some of what a scenario writes; the last but one never, the last each thing once.
_QUERIES = ("op:REMOVE", 'key:"key-1","key-3"', "new.text~7 changed:text", "stream:none", "")


def save_rules() -> None:
    """Save the rules, and no others."""
    Rule.objects.all().delete()
    for query in _QUERIES:
        rule = {"name": f"rule {query or 'of all'}", "query": query}
        first_seen = {} if query else {"kind": "first-seen", "params": {"what": "keys.pk"}}
        rulebook.save({**rule, **first_seen}, "test")


def wrong_matches(stream: Stream) -> list[str]:
    """What is not as it should be; nothing if the matches are just those of the stored changes."""
    stored = fetch("WHERE c.stream_id = %s", [stream.pk])
    events = ChangeEvents(facts_of(stream), Wanted.everything())
    faults = []
    for rule in Rule.objects.all():
        holds = compile_text(rule.query).matches
        matches = Match.objects.filter(rule=rule, stream=stream)
        found = Counter(match.change for match in matches)
        if rule.kind == Rule.Kind.FIRST_SEEN:
            seen = sorted(matches.values_list("seen", flat=True))
            met = sorted({str(each.keys) for each in stored})
            sighted = Sighting.objects.filter(rule=rule, stream=stream).count()
            if not len(seen) == len(set(seen)) == len(met) == sighted:
                faults.append(f"{rule} has seen {seen}, stored are {met}")
            continue
        wanted = Counter(each.id for each in stored if holds(event_of(each, events)))
        if found != wanted:
            faults.append(f"{rule}: too many {found - wanted}, missing {wanted - found}")
    return faults
