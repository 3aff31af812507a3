"""Every example of PATTERNS.md."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams import rules
from streams.rules.errors import PatternError
from streams.rules.patterns.compiler import compile_pattern

SPECIFICATION = Path(rules.__file__).with_name("PATTERNS.md").read_text()
_blocks = re.compile(r"^```(pattern|matches|differs|invalid)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> Iterator[tuple[str, str, str]]:
    """What is expected, the pattern, and the event if there is one."""
    pattern = ""
    for kind, block in _blocks.findall(SPECIFICATION):
        if kind == "pattern":
            pattern = block
        elif kind == "invalid":
            yield from ((kind, line, "") for line in block.splitlines())
        else:
            yield from ((kind, pattern, line) for line in block.splitlines())


EXAMPLES = list(examples())


def test_no_example_is_overlooked() -> None:
    assert len(re.findall(r"^```$", SPECIFICATION, re.MULTILINE)) == len(
        _blocks.findall(SPECIFICATION)
    )


@pytest.mark.parametrize(("expected", "pattern", "event"), EXAMPLES)
def test_an_example_is_true(expected: str, pattern: str, event: str) -> None:
    if expected == "invalid":
        with pytest.raises(PatternError) as refused:
            compile_pattern(pattern)
        assert 0 <= refused.value.position <= len(pattern)
    else:
        assert compile_pattern(pattern).matches_json(event) is (expected == "matches")
