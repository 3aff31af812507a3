"""Rules as a YAML file: written out, and read with every mistake named by its rule and field.

A file says everything about its rules: a field that is left out has its default. A rule is known
by its name.
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from streams.errors import DeltawatchError
from streams.models import Rule
from streams.rulebook import FIELDS

_TO = ("destinations", "escalate_to")
_HEAD = "# Rules of Deltawatch: docs/RULES.md says what each field means.\n"


def _defaults() -> dict[str, Any]:
    new = Rule()
    defaults = {field: getattr(new, field) for field in FIELDS}
    defaults |= {field: str(defaults[field]) for field in ("kind", "severity")}
    return {"name": "", **defaults, **{field: list[str]() for field in _TO}}


# Every field of a rule with what it is if nothing is said, in the order of a file.
DEFAULTS = _defaults()


class Mistake(NamedTuple):
    """What is wrong in a file. `rule` and `field` are "" where none is to blame."""

    rule: str
    field: str
    sentence: str

    def __str__(self) -> str:
        place = ", ".join(filter(None, [self.rule and f"rule {self.rule!r}", self.field]))
        return f"{place}: {self.sentence}" if place else self.sentence


class RuleFileError(DeltawatchError):
    """A file that cannot be applied; `mistakes` has every one that was found."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def dump(contents: Iterable[Mapping[str, Any]]) -> str:
    """A file of these rules, each as `rulebook.content_of` gives it. Defaults are left out."""
    rules = [
        {
            field: content[field]
            for field, default in DEFAULTS.items()
            if field in ("name", "kind") or content[field] != default
        }
        for content in contents
    ]
    text: str = yaml.dump(
        {"rules": rules}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return _HEAD + text


def load(text: str) -> list[dict[str, Any]]:
    """The rules of a file, every field filled in, in the file's order. RuleFileError if it is no
    such file; whether each rule could be saved is asked of the rulebook."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        place = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _refused(f"This is not YAML{place}: {error.problem}.") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-13-40
        raise _refused(f"This is not YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("rules"), list):
        raise _refused("A file of rules begins with `rules:` and a list of rules under it.")
    others = sorted(map(str, document.keys() - {"rules"}))
    if others:
        raise _refused(f"Beside `rules` a file has nothing: {others[0]!r} is not known.")
    mistakes = list(_mistakes(document["rules"]))
    if mistakes:
        raise RuleFileError(mistakes)
    return [{**DEFAULTS, **entry} for entry in document["rules"]]


def _refused(sentence: str) -> RuleFileError:
    return RuleFileError([Mistake("", "", sentence)])


def _mistakes(entries: list[Any]) -> Iterator[Mistake]:
    names = set[str]()
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            yield Mistake("", "", f"Rule number {number} is no rule: it has no fields.")
            continue
        name = entry.get("name")
        if not isinstance(name, str) or not name.strip():
            yield Mistake("", "name", f"Rule number {number} needs a name, as text in quotes.")
            continue
        if name in names:
            yield Mistake(name, "name", "The file has two rules of this name.")
        names.add(name)
        for field, value in entry.items():
            if sentence := _wrong(field, value):
                yield Mistake(name, str(field), sentence)


def _wrong(field: Any, value: Any) -> str:
    if field not in DEFAULTS:
        near = difflib.get_close_matches(str(field), DEFAULTS, 1)
        return "A rule has no such field." + (f" Did you mean {near[0]}?" if near else "")
    default = DEFAULTS[field]
    if type(value) is not type(default):
        return f"This is to be {_SPELLED[type(default)]}, and not {value!r}."
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        return f"This is to be {_SPELLED[list]}: put each into quotes."
    return "" if _storable(value) else "The characters \\0 and lone surrogates cannot be stored."


_SPELLED = {
    bool: "true or false",
    int: "a whole number",
    str: "text, in quotes where YAML reads something else",
    list: "a list of texts",
    dict: "settings, one a line",
}


def _storable(value: Any) -> bool:
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
        case list():
            return all(map(_storable, value))
        case dict():
            return all(_storable(part) for pair in value.items() for part in pair)
    return True


class _Loader(yaml.SafeLoader):
    """YAML takes the last of two equal keys in silence; here they are a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set[str]()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value} stands there twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, lists indented under their name, nothing shared."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML takes these for line ends, and would read them back as other ones.
    ends = any(end in text for end in "\x85\u2028\u2029")
    style = '"' if ends else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
