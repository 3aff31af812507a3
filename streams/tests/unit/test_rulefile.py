"""A file of rules: what is written is read back, and every mistake is named."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rule_diff import Difference, differences, lines
from streams.rulefile import DEFAULTS, RuleFileError, dump, load

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
LISTS = st.lists(TEXTS, max_size=3)


@st.composite
def contents(draw: Any) -> dict[str, Any]:
    """What a rule could say, whether it could work or not."""
    drawn = {
        str: TEXTS,
        bool: st.booleans(),
        int: st.integers(0, 10**6),
        list: LISTS,
        dict: st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans() | LISTS, max_size=3),
    }
    content = {field: draw(drawn[type(default)]) for field, default in DEFAULTS.items()}
    return {**content, "name": f"{draw(TEXTS)}!"}


@settings(deadline=None)
@given(st.lists(contents(), max_size=3, unique_by=lambda content: str(content["name"])))
def test_what_is_written_is_read_back(rules: list[dict[str, Any]]) -> None:
    assert load(dump(rules)) == rules


def test_a_file_says_only_what_is_no_default() -> None:
    content = {**DEFAULTS, "name": "Paid", "query": "new.status: paid", "destinations": ["ops"]}
    assert dump([content]).splitlines()[1:] == [
        "rules:",
        "  - name: Paid",
        "    kind: match",
        "    query: 'new.status: paid'",
        "    destinations:",
        "      - ops",
    ]


def test_a_pattern_of_several_lines_stays_as_it_is() -> None:
    content = {**DEFAULTS, "name": "Paid", "query": '{\n  "new": {"status": ["paid"]}\n}'}
    assert '    query: |-\n      {\n        "new": {"status": ["paid"]}\n      }\n' in dump(
        [content]
    )


def test_what_a_file_leaves_out_has_its_default() -> None:
    (content,) = load("rules: [{name: Paid}]")
    assert content == {**DEFAULTS, "name": "Paid"}
    assert content["severity"] == "warning" and content["resolve_seconds"] == 900


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "A file of rules begins with `rules:` and a list of rules under it."),
        ("rules:\n  - name: [", "This is not YAML in line 2: "),
        ("rules: 2026-13-40", "This is not YAML: month must be in 1..12"),
        ("rules: []\nversion: 1", "Beside `rules` a file has nothing: 'version' is not known."),
        ("rules: [a]", "Rule number 1 is no rule: it has no fields."),
        ("rules: [{kind: match}]", "name: Rule number 1 needs a name, as text in quotes."),
        ("rules: [{name: no}]", "name: Rule number 1 needs a name, as text in quotes."),
        ("rules: [{name: a}, {name: a}]", "rule 'a', name: The file has two rules of this name."),
        ("rules:\n- name: a\n  name: b", "This is not YAML in line 3: name stands there twice."),
        (
            "rules: [{name: a, querry: b}]",
            "rule 'a', querry: A rule has no such field. Did you mean query?",
        ),
        (
            "rules: [{name: a, enabled: 'yes'}]",
            "rule 'a', enabled: This is to be true or false, and not 'yes'.",
        ),
        (
            "rules: [{name: a, digest_seconds: true}]",
            "rule 'a', digest_seconds: This is to be a whole number, and not True.",
        ),
        (
            "rules: [{name: a, group_by: item}]",
            "rule 'a', group_by: This is to be a list of texts, and not 'item'.",
        ),
        (
            "rules: [{name: a, destinations: [1]}]",
            "rule 'a', destinations: This is to be a list of texts: put each into quotes.",
        ),
        (
            'rules: [{name: a, note: "\\0"}]',
            "rule 'a', note: The characters \\0 and lone surrogates cannot be stored.",
        ),
    ],
)
def test_a_mistake_is_named(text: str, said: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        load(text)
    assert str(caught.value).startswith(said)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(RuleFileError) as caught:
        load("rules: [{name: a, kind: 1, query: 2}, {name: b, x: 3}]")
    places = [(mistake.rule, mistake.field) for mistake in caught.value.mistakes]
    assert places == [("a", "kind"), ("a", "query"), ("b", "x")]


def test_settings_are_compared_one_by_one() -> None:
    before = {**DEFAULTS, "kind": "count", "params": {"threshold": 5, "window": 60}}
    after = {**before, "params": {"threshold": 10, "window": 60}, "enabled": False}
    assert differences(before, after) == [
        Difference("enabled", True, False),
        Difference("params.threshold", 5, 10),
    ]
    assert differences(before, before) == []
    assert differences(None, {**DEFAULTS, "query": "op:INSERT"}) == [
        Difference("query", "", "op:INSERT")
    ]


def test_a_difference_is_readable() -> None:
    assert lines(Difference("enabled", True, False)) == ["enabled: true → false"]
    assert lines(Difference("query", "", "op:INSERT")) == ["query: op:INSERT"]
    assert lines(Difference("owner", "ann", "")) == ["owner: ann → nothing"]
    assert lines(Difference("params.window", 60, None)) == ["params.window: 60 → nothing"]
    text = Difference("query", "{\n  1\n}", "{\n  2\n}")
    assert lines(text) == ["query:", "   {", "  -  1", "  +  2", "   }"]
