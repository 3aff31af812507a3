"""The recorded cases of event-ruler's own tests, which are data beside the project."""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from streams.rules.errors import PatternError
from streams.rules.patterns.compiler import compile_pattern

ROOT = Path(__file__).resolve().parents[4]
CASES = (
    Path(os.environ.get("DELTAWATCH_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
    / "patterns.jsonl"
)


def outcome(case: dict[str, Any]) -> object:
    """What we make of a case: true, false or "invalid"."""
    pattern = case.get("pattern_raw") or json.dumps(case["pattern"], ensure_ascii=False)
    try:
        compiled = compile_pattern(pattern)
    except PatternError as error:
        assert 0 <= error.position <= len(pattern)
        return "invalid"
    if "pattern-only" in case["tags"]:
        return "valid"
    event = case.get("event_raw") or json.dumps(case["event"], ensure_ascii=False)
    return compiled.matches_json(event)


def is_as_expected(case: dict[str, Any]) -> bool:
    made, expected = outcome(case), case["expect"]
    return bool(expected != "invalid" if made == "valid" else made == expected)


def test_every_recorded_case_is_as_event_ruler_decides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not CASES.exists():
        pytest.skip(f"no recorded cases at {CASES} (set DELTAWATCH_CONFORMANCE to their folder)")
    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    passed, all_of = Counter[str](), Counter[str]()
    failed = []
    for case in cases:
        right = is_as_expected(case)
        failed += [] if right else [case["id"]]
        for operator in [*case["ops"], *case["tags"], "all"]:
            all_of[operator] += 1
            passed[operator] += right
    with capsys.disabled():
        for operator, count in all_of.most_common():
            share = f"{passed[operator]:>5} of {count:<5} {passed[operator] / count:.1%}"
            sys.stdout.write(f"\n  {operator:<40} {share}")
    assert failed == []
