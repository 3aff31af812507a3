"""docker-compose.yml and the Dockerfile against the code: no Docker engine is needed for that."""

import ast
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery as celery_command
from django.core.management import get_commands, load_command_class
from django.urls import resolve
from uvicorn.main import main as uvicorn_command

from dashboard.env import BASE_DIR

COMPOSE: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (BASE_DIR / "Dockerfile").read_text()
OURS = [name for name, service in SERVICES.items() if "build" in service]


def image_command() -> list[str]:
    """The Dockerfile's CMD, which runs where a service names no command of its own."""
    words = re.search(r"^CMD (\[.*\])", DOCKERFILE.replace("\\\n", ""), re.MULTILINE)
    assert words
    command: list[str] = json.loads(words[1])
    return command


def command_of(name: str) -> list[str]:
    return list(SERVICES[name].get("command") or image_command())


def names_read_by_env() -> set[str]:
    """Each environment variable that settings or a command asks `dashboard/env.py` for."""
    read: set[str] = set()
    for path in (BASE_DIR / "dashboard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and _asks_env(node):
                read |= {str(n.value) for n in node.args[:1] if isinstance(n, ast.Constant)}
    return read


def _asks_env(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    readers = ("text", "flag", "number", "words", "service", "consumer")
    return name in (*readers, "mail_server", "mail_sender")


@pytest.mark.parametrize("name", OURS)
def test_every_environment_name_is_one_that_the_code_reads(name: str) -> None:
    known = names_read_by_env()
    unknown = [
        key
        for key in SERVICES[name]["environment"]
        if key not in known and not key.startswith("AWS_")
    ]
    assert unknown == []


@pytest.mark.parametrize("name", [n for n in OURS if "manage.py" in command_of(n)])
def test_every_management_command_exists_with_its_options(name: str) -> None:
    _, _, command, *options = command_of(name)
    parser = load_command_class(get_commands()[command], command).create_parser(
        "manage.py", command
    )
    parser.parse_args(options)


@pytest.mark.parametrize("name", [n for n in OURS if command_of(n)[0] == "celery"])
def test_every_celery_command_is_understood(name: str) -> None:
    words = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in command_of(name)[1:]]
    assert words[0] == "--app=dashboard"
    kind = next(word for word in words if not word.startswith("--"))
    options = words[words.index(kind) + 1 :]
    celery_command.commands[kind].make_parser(_context()).parse_args(options)


def _context() -> Any:
    import click

    return click.Context(celery_command)


def test_the_web_server_runs_the_application_on_the_published_port() -> None:
    command, application, *options = command_of("web")
    assert command == "uvicorn"
    parsed = uvicorn_command.make_context("uvicorn", [application, *options]).params
    module, _, attribute = parsed["app"].partition(":")
    assert importlib.util.find_spec(module)
    assert hasattr(importlib.import_module(module), attribute)
    (published,) = SERVICES["web"]["ports"]
    assert published.endswith(f":{parsed['port']}")
    assert f"EXPOSE {parsed['port']}" in DOCKERFILE


def test_the_health_check_asks_for_a_page_that_exists() -> None:
    words = " ".join(SERVICES["web"]["healthcheck"]["test"])
    (port, path) = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", words)[0]
    assert resolve(path)
    assert SERVICES["web"]["ports"][0].endswith(f":{port}")
    code = SERVICES["web"]["healthcheck"]["test"][-1]
    ast.parse(code)


def test_beats_health_check_looks_where_beat_writes() -> None:
    schedule = next(word for word in command_of("beat") if word.startswith("--schedule="))
    folder, name = schedule.partition("=")[2].rsplit("/", 1)
    (check,) = SERVICES["beat"]["healthcheck"]["test"][1:]
    assert f"find {folder} " in check
    assert f"'{name}*'" in check


def test_everything_that_is_published_is_for_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_every_service_that_runs_on_has_a_health_check() -> None:
    without = [name for name, service in SERVICES.items() if "healthcheck" not in service]
    assert without == ["migrate", "shop"]


def test_web_workers_and_beat_wait_for_the_migration_and_the_services() -> None:
    for name in ("web", "worker", "beat"):
        waits = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
        assert waits == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "valkey": "service_healthy",
        }


def test_the_worker_can_be_scaled() -> None:
    """No fixed name, no published port, nothing that two of them would both write."""
    worker = SERVICES["worker"]
    assert not {"container_name", "ports", "hostname"} & set(worker)
    assert not [word for word in command_of("worker") if word.startswith(("--hostname", "-n"))]


def test_the_services_urls_name_the_services() -> None:
    environment = SERVICES["web"]["environment"]
    assert "@postgres:5432/deltawatch" in environment["DATABASE_URL"]
    assert "@valkey:6379/" in environment["REDIS_URL"]
    assert "http://dynamodb-local:8000" in " ".join(command_of("shop"))


def test_no_password_has_a_default() -> None:
    text = (BASE_DIR / "docker-compose.yml").read_text()
    assert not re.search(r"\$\{SERVICES_PASSWORD:?-", text)
    assert "${SERVICES_PASSWORD:?" in text


def test_state_and_data_are_kept_in_volumes() -> None:
    assert set(COMPOSE["volumes"]) == {"postgres", "valkey", "state"}
    # From version 18 on the image refuses a volume mounted at /var/lib/postgresql/data.
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    state = SERVICES["web"]["environment"]["DELTAWATCH_HOME"]
    assert f"state:{state}" in SERVICES["web"]["volumes"]
    assert f"DELTAWATCH_HOME={state}" in DOCKERFILE


def test_the_image_does_not_run_as_root() -> None:
    assert re.search(r"^USER deltawatch$", DOCKERFILE, re.MULTILINE)


def test_the_image_gets_all_it_copies_and_needs() -> None:
    ignored = (BASE_DIR / ".dockerignore").read_text().splitlines()
    for name in ("manage.py", "requirements.txt", "constraints.txt"):
        assert f"!{name}" in ignored
        assert (BASE_DIR / name).exists()
    for folder in ("dashboard", "streams", "static", "templates"):
        assert f"!{folder}/" in ignored
        assert (BASE_DIR / folder).is_dir()


def pins(name: str) -> dict[str, str]:
    lines = (BASE_DIR / name).read_text().splitlines()
    words = [line.partition("#")[0].strip() for line in lines]
    named = [word.split("==") for word in words if "==" in word]
    return {re.sub(r"\[.*\]", "", n).lower().replace("_", "-"): v for n, v in named}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_as_in_the_constraints(name: str) -> None:
    constraints = pins("constraints.txt")
    assert {package: constraints.get(package) for package in pins(name)} == pins(name)


def test_no_file_names_a_path_or_a_registry_of_one_machine() -> None:
    named = ["Makefile", "Dockerfile", "docker-compose.yml", ".ci/run", ".dockerignore"]
    named += ["requirements.txt", "requirements-dev.txt", "constraints.txt"]
    texts = {name: Path(BASE_DIR / name).read_text() for name in named}
    suspicious = re.compile(r"file://|--(extra-)?index-url|/home/|/opt/| @ ")
    assert {name: m[0] for name, text in texts.items() if (m := suspicious.search(text))} == {}
