"""docs/RULES.md: every field and setting is there, and every example is true."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from streams.alerting.definition import HEALTH, Definition, FirstSeen, Params, Rate, define
from streams.alerting.evaluate import Evaluator, evaluator_of
from streams.alerting.rule_sentence import sentence_of
from streams.alerting.steps import Grew, Happening, Hit, Opened, Resolved, State, Suppressed
from streams.models import Rule
from streams.rulefile import DEFAULTS, dump, load
from streams.span import parse_span

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "RULES.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAID = {Opened: "opens", Grew: "grows", Resolved: "resolves", Suppressed: "held back"}
SECOND = 1_000_000


class Example(NamedTuple):
    content: dict[str, Any]
    sentence: str
    story: list[str]


def examples() -> list[Example]:
    found: list[Example] = []
    for kind, text in BLOCK.findall(TEXT):
        if kind == "yaml":
            (content,) = load(text)
            found.append(Example(content, "", []))
        elif kind == "sentence":
            found[-1] = found[-1]._replace(sentence=text.strip())
        elif kind == "story":
            found[-1] = found[-1]._replace(story=text.splitlines())
    return found


EXAMPLES = examples()


class Story:
    """The rule of an example, as its changes come and time passes."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.evaluator: Evaluator = evaluator_of(definition)
        self.filters = definition.filters()
        self.states: dict[str, State | None] = {}
        self.seen: set[str] = set()
        if isinstance(definition.params, Rate):
            self.states[""] = self.evaluator.begin(0).state

    def pass_until(self, clock: int) -> list[Happening]:
        happenings: list[Happening] = []
        for group, state in self.states.items():
            step = self.evaluator.advance(state, clock)
            self.states[group] = step.state
            happenings += step.happenings
        return happenings

    def take(self, clock: int, event: dict[str, Any]) -> list[Happening]:
        happenings: list[Happening] = []
        for part in sorted(self.filters, reverse=True):
            if not self.filters[part].matches(event):
                continue
            for group, seen in self.groups(event):
                hit = Hit(clock, clock, "", part, seen)
                step = self.evaluator.feed(self.states.get(group), hit)
                self.states[group] = step.state
                happenings += step.happenings
        return happenings

    def groups(self, event: dict[str, Any]) -> list[tuple[str, str]]:
        """The one group of the change, or one for each value that is new."""
        params = self.definition.params
        if not isinstance(params, FirstSeen):
            group = ", ".join(str(value_at(event, path)) for path in self.definition.group_by)
            return [(group, "")]
        value = str(value_at(event, params.what))
        if value in self.seen:
            return []
        self.seen.add(value)
        return [(value, value)]


def value_at(event: dict[str, Any], path: str) -> Any:
    value: Any = event
    for name in ("keys" if path == "item" else path).split("."):
        value = value[name]
    return value


def test_every_field_and_setting_is_explained() -> None:
    settings = [each for kind in Params.__args__ for each in kind.__struct_fields__]
    for name in [*DEFAULTS, *settings, *HEALTH]:
        assert f"`{name}`" in TEXT or f"`{name}:" in TEXT, name


def test_every_kind_has_an_example_that_sets_all_its_settings() -> None:
    shown = {example.content["kind"]: example.content["params"] for example in EXAMPLES}
    assert shown.keys() == set(Rule.Kind.values)
    for kind, params in shown.items():
        all_ = define({"kind": kind, "params": params, "then_query": "op:INSERT"}).params
        assert {field.name for field in msgspec.structs.fields(all_)} == params.keys(), kind


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.content["name"])
def test_an_example_is_true(example: Example) -> None:
    assert load(dump([example.content])) == [example.content]
    definition = define(example.content)
    if example.sentence:
        assert sentence_of(definition) == example.sentence
    if not example.story:
        return
    story = Story(definition)
    for line in example.story:
        time, change, expected = (part.strip() for part in line.split("|"))
        clock = parse_span(time) * SECOND
        assert story.pass_until(clock - 1) == [], f"before {line}"
        happenings = [] if change else story.pass_until(clock)
        times, _, event = change.rpartition("× ")
        for _ in range(int(times or 1) if change else 0):
            happenings += story.take(clock, json.loads(event))
        assert ", ".join(SAID[type(each)] for each in happenings) == expected, line
