"""The rules of a process, ready to be asked about the changes of any stream (stages/match.py)."""

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import NamedTuple

from streams import rulebook
from streams.alerting.definition import Definition, FirstSeen, RuleError
from streams.alerting.grouping import group_of, seen_in
from streams.change import Change
from streams.models import Rule, Stream
from streams.queries.event import facts_of
from streams.rules import EventError, Filter
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import StreamFacts, Wanted
from streams.rules.matching.change_matcher import ChangeMatcher
from streams.rules.matching.constants import narrow
from streams.stages import rule_faults

# A rule, and the part of it: 1 its filter, 2 what is to follow in a sequence.
Id = tuple[int, int]
# What was seen for the first time: rule, version, stream and what.
Thing = tuple[int, int, int, str]
# What is told by the stream alone, by a change's event.
_OF_STREAM = frozenset({*StreamFacts.of("", "", "").event(), "dynamodb", "dynamodb.StreamViewType"})
# What stands for all streams together.
_EVERY_STREAM, _NO_FACTS = 0, StreamFacts.of("", "", "")
# What a mistake in our own code may raise for one rule or one change. None of it may stop storing.
FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
# So many changes show what is rare in a stream; a smaller sample is replaced by one that has
# several times as many.
_SAMPLE, _SEVERAL = 64, 4
# Things that are remembered; about 20 MB.
_MOST_KNOWN = 100_000


class Match(NamedTuple):
    """A change that satisfied a rule; `ordinal` is its place in the batch."""

    rule_id: int
    rule_version: int
    part: int
    ordinal: int
    change: Change
    group: str
    seen: str = ""


class Compiled(NamedTuple):
    """A rule as it was saved, with its filters by part."""

    rule_id: int
    version: int
    definition: Definition
    filters: dict[int, Filter]


class RuleSet:
    """All enabled rules at one moment. Shared by threads."""

    def __init__(self, head: object, rules: Sequence[Compiled]) -> None:
        self.head = head
        self.rules = {rule.rule_id: rule for rule in rules}
        filters = {(rule.rule_id, n): one for rule in rules for n, one in rule.filters.items()}
        # What asks nothing of the stream itself is prepared once for all streams.
        self._general = {n: one for n, one in filters.items() if _OF_STREAM.isdisjoint(one.paths())}
        self._special = {n: one for n, one in filters.items() if n not in self._general}
        self._groups: dict[int, _Group] = {}
        self._lock = Lock()
        self.known: set[Thing] = set()

    def find(self, stream: Stream, changes: Sequence[Change]) -> list[Match]:
        """The matches of a batch's changes, in their order. What is wrong with a rule is noted at
        the rule."""
        found: list[Match] = []
        for group in self._of(stream, changes):
            for ordinal, ids in group.match_all(stream.name, changes).items():
                for id_ in ids:
                    found += self._matches(id_, ordinal, changes[ordinal], stream)
        return sorted(found, key=lambda match: (match.ordinal, match.rule_id, match.part))

    def _of(self, stream: Stream, changes: Sequence[Change]) -> list["_Group"]:
        if not changes or not self.rules:
            return []
        facts = facts_of(stream)
        with self._lock:
            groups = [
                self._group(_EVERY_STREAM, self._general, _NO_FACTS, changes),
                self._group(stream.pk, self._special, facts, changes),
            ]
        return [group for group in groups if group.filters]

    def _group(
        self, key: int, filters: dict[Id, Filter], facts: StreamFacts, changes: Sequence[Change]
    ) -> "_Group":
        known = self._groups.get(key)
        sampled = min(len(changes), _SAMPLE)
        if known is None or known.facts != facts or known.sampled * _SEVERAL <= sampled:
            versions = {rule.rule_id: rule.version for rule in self.rules.values()}
            known = _Group(facts, filters, versions, changes[:_SAMPLE])
            self._groups[key] = known
        return known

    def _matches(self, id_: Id, ordinal: int, change: Change, stream: Stream) -> list[Match]:
        rule, part = self.rules[id_[0]], id_[1]
        try:
            if not isinstance(rule.definition.params, FirstSeen):
                group = group_of(rule.definition.group_by, stream.name, change)
                return [Match(rule.rule_id, rule.version, part, ordinal, change, group)]
            seen = seen_in(rule.definition, change)
        except FAULTS as error:
            rule_faults.note_raised(rule.rule_id, rule.version, stream.name, change, error)
            return []
        return [
            Match(rule.rule_id, rule.version, part, ordinal, change, what, what)
            for what in seen
            if (rule.rule_id, rule.version, stream.pk, what) not in self.known
        ]

    def note_known(self, things: Iterable[Thing]) -> None:
        """These sightings are stored, and need not be found again."""
        if len(self.known) > _MOST_KNOWN:
            self.known = set()
        self.known.update(things)


class _Group:
    """Filters that are asked together."""

    def __init__(
        self,
        facts: StreamFacts,
        filters: Mapping[Id, Filter],
        versions: Mapping[int, int],
        sample: Sequence[Change],
    ) -> None:
        self.facts, self.sampled = facts, len(sample)
        self._versions = versions
        known = facts.event()
        self.filters = {n: one for n, one in filters.items() if narrow(one.form, known)}
        self._sample = sample
        # Filters that raised once. They are asked alone, so that no other one suffers.
        self._suspects: dict[Id, Filter] = {}
        self._others = self.filters
        self._matcher = ChangeMatcher(self._others, facts, sample)

    def match_all(self, stream_name: str, changes: Sequence[Change]) -> dict[int, set[Id]]:
        """The filters that match, by the places of the changes."""
        try:
            found = self._matcher.match_all(changes)
        except FAULTS:
            found = {n: self._match(stream_name, change) for n, change in enumerate(changes)}
        if self._suspects:
            for place, change in enumerate(changes):
                suspects = self._ask_alone(self._suspects, stream_name, change)
                found.setdefault(place, set()).update(suspects)
        return found

    def _match(self, stream_name: str, change: Change) -> set[Id]:
        try:
            return self._matcher.match(change)
        except FAULTS:
            return self._ask_alone(self._others, stream_name, change)

    def _ask_alone(self, filters: Mapping[Id, Filter], stream_name: str, change: Change) -> set[Id]:
        """Ask one by one. Who raises is a suspect from then on, unless it is the change's fault."""
        found: set[Id] = set()
        raised: dict[Id, Filter] = {}
        for id_, one in filters.items():
            try:
                events = ChangeEvents(self.facts, Wanted.of([one.form]))
                if one.matches(events.of(change)):
                    found.add(id_)
            except FAULTS as error:
                version = self._versions[id_[0]]
                rule_faults.note_raised(id_[0], version, stream_name, change, error)
                if not isinstance(error, EventError):
                    raised[id_] = one
        if raised.keys() - self._suspects.keys():
            suspects = {**self._suspects, **raised}
            self._others = {n: one for n, one in self.filters.items() if n not in suspects}
            self._matcher = ChangeMatcher(self._others, self.facts, self._sample)
            self._suspects = suspects
        return found


def compile_rules(before: RuleSet) -> list[Compiled]:
    """All enabled rules; of those that are the same as before, what was compiled."""
    compiled = []
    for rule in Rule.objects.filter(enabled=True).exclude(kind=Rule.Kind.HEALTH).order_by("pk"):
        same = before.rules.get(rule.pk)
        if same and same.version == rule.version:
            compiled.append(same)
            continue
        try:
            definition = rulebook.definition_of(rule)
            compiled.append(Compiled(rule.pk, rule.version, definition, definition.filters()))
        except RuleError as error:
            rule_faults.note(rule.pk, rule.version, rule_faults.of_refused(error))
    return compiled
