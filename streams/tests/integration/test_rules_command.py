"""Rules as code: what `manage.py rules` prints and does."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from streams import rulebook
from streams.models import Destination, Edit, Rule, RuleVersion

pytestmark = pytest.mark.django_db

FILE = """
rules:
  - name: Burst of refunds
    kind: count
    query: "new.status: refunded"
    params: {threshold: 5, window: 60}
    group_by: [new.country]
    destinations: [ops, desk]
"""


@pytest.fixture(autouse=True)
def destinations() -> None:
    for name in ("ops", "desk"):
        Destination.objects.create(name=name, kind="webhook", options={})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(FILE)
    return path


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("rules", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(*arguments: object) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 2
    return str(caught.value)


def test_a_plan_says_what_is_new_and_changes_nothing(file: Path) -> None:
    assert run("plan", file) == (
        "+ Burst of refunds (count)\n"
        "    kind: match → count\n"
        "    query: new.status: refunded\n"
        "    params.threshold: 5\n"
        "    params.window: 60\n"
        '    group_by: ["new.country"]\n'
        '    destinations: ["desk", "ops"]\n'
        "1 to add, 0 to change, 0 to delete, 0 as they are.\n"
    )
    assert not Rule.objects.exists()


def test_applying_twice_changes_nothing_the_second_time(file: Path) -> None:
    run("apply", file, "--why", "as agreed")
    rule = Rule.objects.get()
    assert rulebook.content_of(rule)["destinations"] == ["desk", "ops"]
    version = RuleVersion.objects.get()
    assert version.who.endswith("(command line)") and version.why == "as agreed"
    assert run("plan", file) == run("apply", file) == "Nothing to change.\n"
    assert RuleVersion.objects.count() == 1
    assert Edit.objects.filter(what="rule Burst of refunds").count() == 1


def test_what_is_exported_is_what_is_there(file: Path) -> None:
    run("apply", file)
    rulebook.save({"name": "Paid", "query": '{\n "new": {"status": ["paid"]}\n}'}, "ann")
    file.write_text(run("export"))
    assert run("plan", file, "--exit-code") == "Nothing to change.\n"
    file.write_text(run("export", "Paid"))
    assert run("plan", file) == (
        "Not in the file, and left alone: Burst of refunds.\nNothing to change.\n"
    )


def test_a_plan_shows_what_a_change_changes(file: Path) -> None:
    run("apply", file)
    file.write_text(FILE.replace("threshold: 5", "threshold: 9").replace("[ops, desk]", "[ops]"))
    said = run("plan", file)
    assert said == (
        "~ Burst of refunds\n"
        "    params.threshold: 5 → 9\n"
        '    destinations: ["desk", "ops"] → ["ops"]\n'
        "0 to add, 1 to change, 0 to delete, 0 as they are.\n"
    )
    with pytest.raises(SystemExit) as exit_:
        run("plan", file, "--exit-code")
    assert exit_.value.code == 1
    assert run("apply", file) == f"{said}Done. Pollers take it up within seconds.\n"
    assert Rule.objects.get().version == 2


def test_a_field_that_is_taken_out_gets_its_default_back(file: Path) -> None:
    run("apply", file)
    file.write_text(FILE.replace("    group_by: [new.country]\n", ""))
    assert '    group_by: ["new.country"] → []\n' in run("apply", file)
    assert Rule.objects.get().group_by == []


def test_pruning_deletes_what_is_not_in_the_file(file: Path) -> None:
    rulebook.save({"name": "Old"}, "ann")
    run("apply", file)
    assert Rule.objects.count() == 2
    assert run("apply", file, "--prune").startswith("- Old\n0 to add, 0 to change, 1 to delete")
    assert Rule.objects.get().name == "Burst of refunds"


def test_every_rule_that_cannot_work_is_named_and_nothing_is_saved(file: Path) -> None:
    file.write_text(
        FILE.replace("window: 60", "window: 0").replace("[ops, desk]", "[ops]")
        + "  - {name: A, query: 'new.total>'}\n"
        + "  - {name: B, destinations: [pager]}\n"
        + "  - {name: C, kind: absence}\n"
        + "  - {name: D, runbook: nowhere}\n"
        + "  - {name: E}\n"
    )
    for action in ("plan", "apply"):
        said = refused(action, file).splitlines()
        assert said[0] == (
            "rule 'Burst of refunds', params.window: The window is from 1 second to 30 days."
        )
        assert said[1].startswith("rule 'A', query: ")
        assert said[2] == "rule 'B', destinations: There is no destination 'pager'. Add it first."
        assert said[3].startswith("rule 'C', params: ") and "seconds" in said[3]
        assert said[4] == "rule 'D', runbook: Enter a valid URL."
        assert said[5:] == ["Nothing was changed."]
    assert not Rule.objects.exists()


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refused("plan", tmp_path / "none.yaml")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "is no text in UTF-8" in refused("apply", tmp_path / "bytes")


def test_a_rules_history_and_back(file: Path) -> None:
    run("apply", file)
    file.write_text(FILE.replace("threshold: 5", "threshold: 9"))
    run("apply", file, "--why", "too noisy")
    said = run("history", "Burst of refunds").splitlines()
    assert said[0].startswith("2  ") and said[0].endswith("(command line): too noisy")
    assert said[1] == "    params.threshold: 5 → 9"
    assert said[2].startswith("1  ")
    back = run("roll-back", "Burst of refunds", 1)
    assert back == "Burst of refunds is as in version 1 again: version 3.\n"
    assert Rule.objects.get().params["threshold"] == 5
    assert "already" in run("roll-back", "Burst of refunds", 1)
    assert "There is no version 8" in refused("roll-back", "Burst of refunds", 8)
    assert "There is no rule 'X'" in refused("history", "X")


def test_a_deleted_rule_is_brought_back_by_its_last_version(file: Path) -> None:
    run("apply", file)
    content = rulebook.content_of(Rule.objects.get())
    rulebook.delete(Rule.objects.get(), "ann", "not needed")
    said = run("history", "Burst of refunds").splitlines()
    assert said[0].endswith("UTC  ann: not needed") and said[1] == "    deleted"
    file.write_text(run("history", "Burst of refunds", "--yaml", 1))
    run("apply", file)
    assert rulebook.content_of(Rule.objects.get()) == content


def test_the_list_says_how_each_rule_is(file: Path) -> None:
    run("apply", file)
    Rule.objects.update(error="It raised.", changed_by="ann")
    listed = run("list")
    assert listed == "Burst of refunds  count, warning, error: It raised.; version 1 by ann\n"
    assert '"threshold":5' in run("list", "--json")
