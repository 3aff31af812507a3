"""`manage.py rules list|export|plan|apply|history|roll-back`: rules on the command line."""

import sys
from argparse import ArgumentParser
from getpass import getuser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from streams import rulebook
from streams.alerting.definition import RuleError
from streams.management.failures import explained
from streams.models import Rule, RuleVersion
from streams.queries.spelled import line
from streams.rule_diff import differences, lines
from streams.rulefile import RuleFileError, dump, load
from streams.ruleplan import Plan, apply, plan


class Command(BaseCommand):
    help = "Show rules, write them to a YAML file, compare it with what is there, and apply it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listed = actions.add_parser("list", help="every rule, one a line")
        listed.add_argument("--json", action="store_true", help="one JSON object a line")
        export = actions.add_parser("export", help="write rules as YAML to standard output")
        export.add_argument("names", nargs="*", metavar="RULE", help="default: all")
        for name, said in (
            ("plan", "show what applying a file would change; nothing is changed"),
            ("apply", "make the rules what the file says, all of them or none"),
        ):
            action = actions.add_parser(name, help=said)
            action.add_argument("file", help="a YAML file of rules; - for standard input")
            action.add_argument(
                "--prune", action="store_true", help="delete the rules that the file does not have"
            )
        actions.choices["plan"].add_argument(
            "--exit-code", action="store_true", help="exit with 1 if something would be changed"
        )
        history = actions.add_parser("history", help="a rule's versions: who, when, why and what")
        history.add_argument("name", metavar="RULE")
        history.add_argument(
            "--yaml", type=int, metavar="VERSION", help="one version as a file of YAML"
        )
        back = actions.add_parser("roll-back", help="save again what an earlier version said")
        back.add_argument("name", metavar="RULE")
        back.add_argument("to", type=int, metavar="VERSION", help="as `history` shows it")
        for name in ("apply", "roll-back"):
            actions.choices[name].add_argument("--why", default="", help="kept with the versions")

    def handle(self, **options: Any) -> None:
        act = getattr(self, f"_{options['action'].replace('-', '_')}")
        with explained():
            try:
                act(options)
            except RuleFileError as error:
                raise CommandError(f"{error}\nNothing was changed.", returncode=2) from error
            except RuleError as error:
                raise CommandError(f"{error.field}: {error.sentence}", returncode=2) from error

    def _list(self, options: dict[str, Any]) -> None:
        for rule in Rule.objects.all():
            self.stdout.write(line(_spelled(rule)) if options["json"] else _line(rule))

    def _export(self, options: dict[str, Any]) -> None:
        names = options["names"]
        rules = [_rule(name) for name in names] if names else Rule.objects.all()
        self.stdout.write(dump(map(rulebook.content_of, rules)), ending="")

    def _plan(self, options: dict[str, Any]) -> None:
        made = plan(_read(options["file"]), prune=options["prune"])
        self._say(made)
        if made.steps and options["exit_code"]:
            raise SystemExit(1)

    def _apply(self, options: dict[str, Any]) -> None:
        contents = _read(options["file"])
        made = apply(contents, _who(), options["why"], prune=options["prune"])
        self._say(made)
        if made.steps:
            self.stdout.write("Done. Pollers take it up within seconds.")

    def _history(self, options: dict[str, Any]) -> None:
        name = options["name"]
        versions = list(RuleVersion.objects.filter(rule_name=name))
        if rule := Rule.objects.filter(name=name).first():
            # Under all its names; a deleted rule's only under the last.
            versions = list(rule.versions.all())
        if not versions:
            raise _no_rule(name)
        if options["yaml"] is not None:
            content = _version(versions, options["yaml"]).content
            self.stdout.write(dump([content] if content else []), ending="")
            return
        for newer, older in zip(versions, [*versions[1:], None], strict=True):
            self.stdout.write("\n".join(_told(newer, older)))

    def _roll_back(self, options: dict[str, Any]) -> None:
        rule = _rule(options["name"])
        _version(list(rule.versions.all()), options["to"])
        before = rule.version
        rule = rulebook.roll_back(rule, options["to"], _who(), options["why"])
        saved = f"{rule.name} is as in version {options['to']} again: version {rule.version}."
        same = f"{rule.name} is as in version {options['to']} already."
        self.stdout.write(same if rule.version == before else saved)

    def _say(self, made: Plan) -> None:
        self.stdout.write("\n".join(made.lines()))


def _who() -> str:
    return f"{getuser()} (command line)"


def _read(file: str) -> list[dict[str, Any]]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=2) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is no text in UTF-8.", returncode=2) from error
    return load(text)


def _rule(name: str) -> Rule:
    rule = Rule.objects.filter(name=name).first()
    if rule is None:
        raise _no_rule(name)
    return rule


def _no_rule(name: str) -> CommandError:
    return CommandError(f"There is no rule {name!r}. `rules list` shows all.", returncode=2)


def _version(versions: list[RuleVersion], number: int) -> RuleVersion:
    for version in versions:
        if version.version == number:
            return version
    known = ", ".join(str(version.version) for version in versions[:10])
    raise CommandError(f"There is no version {number}; the newest are {known}.", returncode=2)


def _spelled(rule: Rule) -> dict[str, Any]:
    said = {"version": rule.version, "changed_at": rule.changed_at, "changed_by": rule.changed_by}
    return {**rulebook.content_of(rule), **said, "error": rule.error, "fix": rule.fix}


def _line(rule: Rule) -> str:
    state = f"error: {rule.error}" if rule.error else "on" if rule.enabled else "off"
    said = f"version {rule.version} by {rule.changed_by or 'Deltawatch'}"
    return f"{rule.name}  {rule.kind}, {rule.severity}, {state}; {said}"


def _told(version: RuleVersion, older: RuleVersion | None) -> list[str]:
    why = f": {version.why}" if version.why else ""
    head = f"{version.version}  {version.at:%Y-%m-%d %H:%M:%S} UTC  {version.who}{why}"
    if version.content is None:
        return [head, "    deleted"]
    found = differences(older.content if older else None, version.content)
    return [head, *(f"    {said}" for difference in found for said in lines(difference))]
