"""What ARCHITECTURE.md and DESIGN.md promise about the shape of the code, checked on the code."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.destinations.registry import DESTINATIONS

ROOT = Path(__file__).resolve().parents[3]
TESTS = {"tests", "testing"}
PLAIN = (
    *("change", "item_key", "errors", "indexing", "topics", "when", "state"),
    *("diff", "diff_align", "diff_words", "image", "image_text", "noise", "bins", "csv_text"),
    *("explanations", "field_path", "undo", "undo_script"),
)
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "core"}
MOST_LINES, MOST_FUNCTION_LINES, MOST_BROAD_EXCEPTS = 300, 40, 3

FILES = [
    path
    for package in ("streams", "dashboard")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]
TREES = {path.relative_to(ROOT): ast.parse(path.read_text()) for path in FILES}
CODE = {path: tree for path, tree in TREES.items() if "tests" not in path.parts}


def imports(tree: ast.AST) -> Iterator[str]:
    """The names of all imported modules, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield node.module or ""


def importing(*packages: str) -> list[Path]:
    """The files that import one of these packages, tests left out."""
    return [
        path
        for path, tree in CODE.items()
        if any(module.split(".")[0] in packages for module in imports(tree))
    ]


def test_the_engine_never_imports_the_dashboard() -> None:
    assert [path for path in importing("dashboard") if path.parts[0] == "streams"] == []


def test_only_clients_of_sources_know_aws() -> None:
    others = [
        path
        for path in importing("boto3", "botocore")
        if not path.match("streams/sources/*/client.py")
        # the shop is an application beside Deltawatch, and meets boto3's errors
        and not path.match("dashboard/demo/*.py")
    ]
    assert others == []


def test_the_filter_language_is_plain_python() -> None:
    """No Django, no network, nothing of the engine but what is plain itself."""
    allowed = {f"streams.{name}" for name in PLAIN}
    found = {
        module
        for path, tree in CODE.items()
        if path.match("streams/rules/*.py") or path.match("streams/rules/*/*.py")
        for module in imports(tree)
        if not module.startswith("streams.rules") and module not in allowed
    }
    roots = {module.split(".")[0] for module in found}
    assert roots <= sys.stdlib_module_names | {"msgspec", "orjson", "ahocorasick_rs"}
    assert not roots & {"http", "socketserver", "urllib"}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_modules_know_no_framework_and_no_network(name: str) -> None:
    packages = {module.split(".")[0] for module in imports(TREES[Path("streams", f"{name}.py")])}
    assert not packages & {"django", "channels", "celery", "redis", "psycopg", "urllib3"}


def test_plain_modules_import_only_plain_modules() -> None:
    for name in PLAIN:
        for module in imports(TREES[Path("streams", f"{name}.py")]):
            if module.startswith("streams."):
                assert module.removeprefix("streams.") in PLAIN, f"streams/{name}.py"


def test_sources_touch_no_models_and_no_database() -> None:
    for path, tree in CODE.items():
        if path.is_relative_to("streams/sources"):
            known = {module.split(".")[0] for module in imports(tree)}
            assert not known & {"django", "psycopg"}, path
            assert not any(module.startswith("streams.models") for module in imports(tree)), path


def test_destinations_touch_no_models_and_no_database() -> None:
    for path, tree in CODE.items():
        if path.is_relative_to("streams/destinations"):
            modules = set(imports(tree))
            assert not any(
                m.startswith(("streams.models", "django.db", "psycopg")) for m in modules
            )
            # http.py is the only way out over HTTP
            assert path.name == "http.py" or not modules & {"httptools", "http.client", "urllib3"}


def test_stages_know_no_adapter_but_through_the_registry() -> None:
    kinds = {f"streams.destinations.{kind}" for kind in DESTINATIONS}
    for path, tree in CODE.items():
        if path.is_relative_to("streams/stages"):
            modules = set(imports(tree))
            assert not any(re.match(r"streams\.sources\.\w+\.", m) for m in modules), path
            assert not modules & kinds, path


def test_nothing_shipped_needs_what_only_tests_need() -> None:
    shipped = {path: tree for path, tree in CODE.items() if not TESTS & set(path.parts)}
    for path, tree in shipped.items():
        known = {module.split(".")[0] for module in imports(tree)}
        assert not known & {"pytest", "hypothesis", "playwright", "conftest"}, path


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [p for p in TREES if FORBIDDEN_NAMES & {part.split(".")[0] for part in p.parts}] == []


def test_no_module_is_longer_than_a_sitting() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def functions() -> Iterator[tuple[str, int]]:
    """Every function's name and its lines, the docstring not counted."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = (node.end_lineno or 0) - node.lineno + 1
            if ast.get_docstring(node):
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            yield f"{path}: {node.name}", lines


def test_no_function_is_longer_than_a_screen() -> None:
    assert {name: lines for name, lines in functions() if lines > MOST_FUNCTION_LINES} == {}


def broad_excepts() -> Iterator[Path]:
    broad = {"Exception", "BaseException"}
    for path, tree in CODE.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                named = (
                    {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)}
                    if node.type
                    else broad
                )
                if named & broad:
                    yield path


def test_errors_are_not_swallowed() -> None:
    found = list(broad_excepts())
    assert len(found) <= MOST_BROAD_EXCEPTS, found
    inner = [path for path in found if {"stages", "sources"} & set(path.parts)]
    assert inner == []


def test_every_environment_variable_is_in_the_readme() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("there is no README.md yet")
    text = "\n".join(
        (ROOT / "dashboard" / f"{name}.py").read_text() for name in ("env", "settings")
    )
    read = set(re.findall(r'"(DELTAWATCH_[A-Z_]+|DATABASE_URL|REDIS_URL|PORT)"', text))
    assert read
    assert {name for name in read if name not in readme.read_text()} == set()


def test_every_kind_of_source_is_in_the_readme() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("there is no README.md yet")
    kinds = [path.name for path in (ROOT / "streams" / "sources").iterdir() if path.is_dir()]
    written = readme.read_text().lower()
    assert [kind for kind in kinds if kind != "__pycache__" and kind not in written] == []


def test_every_kind_of_destination_is_in_the_readme() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("there is no README.md yet")
    text = readme.read_text()
    assert [kind for kind in DESTINATIONS if f"| `{kind}` |" not in text] == []
