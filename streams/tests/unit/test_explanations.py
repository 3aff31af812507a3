"""Every kind of problem that the code can report is explained, and no other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.errors import SourceError
from streams.explanations import EXPLANATIONS, TABS, denied_call, explain, kinds_of

ROOT = Path(__file__).resolve().parents[2]
ERRORS = {"SourceError", *(error.__name__ for error in SourceError.__subclasses__())}
REPORTERS = {*ERRORS, "report", "Throttled"}
PLACES = ("errors.py", "tasks.py", "sources", "stages")


def trees() -> Iterator[tuple[Path, ast.AST]]:
    for place in PLACES:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            yield file, ast.parse(file.read_text())


def reported(tree: ast.AST) -> Iterator[str]:
    """The kinds that a module's calls name: in place, or by a constant of the module."""
    constants = {
        node.targets[0].id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REPORTERS:
            given = [keyword.value for keyword in node.keywords if keyword.arg == "kind"]
            if getattr(node.func, "id", "") == "report":
                given += node.args[:1]
            for value in given:
                if isinstance(value, ast.Constant):
                    yield str(value.value)
                elif isinstance(value, ast.Name):
                    yield str(constants[value.id])


def classes() -> Iterator[str]:
    """The kinds that the errors have of themselves."""
    left = [SourceError]
    while left:
        error = left.pop()
        yield error.kind
        left += error.__subclasses__()


def test_every_kind_in_the_code_is_explained_and_no_other() -> None:
    found = {kind for _, tree in trees() for kind in reported(tree)} | set(classes())
    assert found == set(EXPLANATIONS)


def test_every_explanation_says_all_of_it() -> None:
    for kind, explanation in EXPLANATIONS.items():
        assert explanation.tab in TABS, kind
        for part in (explanation.meaning, explanation.loss, explanation.next, explanation.over):
            assert part.endswith("."), kind
    assert sorted(kind for tab in TABS for kind in kinds_of(tab)) == sorted(EXPLANATIONS)


def test_a_kind_of_another_version_is_shown_all_the_same() -> None:
    assert explain("from-the-future").title == "from-the-future"


@pytest.mark.parametrize(
    ("sentence", "call"),
    [
        (
            "GetRecords on table orders in eu-central-1: AccessDeniedException. User: "
            "arn:aws:iam::1:user/r is not authorized to perform: dynamodb:GetRecords on resource: "
            "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/x because no policy allows it",
            ("dynamodb:GetRecords", "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/x"),
        ),
        ("Not authorized to perform sts:AssumeRole.", None),
        ("x is not authorized to perform: sts:AssumeRole.", ("sts:AssumeRole", "")),
        ("No AWS credentials were found.", None),
    ],
)
def test_a_refusal_names_the_action_and_the_resource(
    sentence: str, call: tuple[str, str] | None
) -> None:
    assert denied_call(sentence) == call
