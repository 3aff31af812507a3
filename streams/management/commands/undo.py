"""`manage.py undo CHANGE_ID`: the plan that would bring an item back to a version. Never run."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from streams.management.failures import explained
from streams.models import Stream
from streams.queries.change import find
from streams.queries.undo import undo_plan
from streams.undo import UndoPlan, UndoRefused


class Command(BaseCommand):
    help = (
        "Print what would bring an item back to what it was after a change: in words, as a Python "
        "script, or as JSON for the AWS command line. Nothing is written to any table."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("change", help="the version's id, as in 118-42 (see `history --json`)")
        parser.add_argument("--format", choices=("text", "python", "json"), default="text")

    def handle(self, **options: Any) -> None:
        with explained():
            change = find(options["change"])
            if change is None:
                raise CommandError(f"There is no change {options['change']!r}.", returncode=2)
            try:
                plan = undo_plan(Stream.objects.get(pk=change.stream_id), change)
            except UndoRefused as refused:
                raise CommandError(
                    f"{refused.reason}\n{refused.fix}".strip(), returncode=1
                ) from None
        # What must be read before it is run goes beside it, so that it does not end in the file.
        for warning in plan.warnings:
            self.stderr.write(warning)
        if options["format"] == "python":
            self.stdout.write(plan.python_script(), ending="")
        elif options["format"] == "json":
            self.stdout.write(plan.cli_json())
        else:
            self.stdout.write("\n".join(_lines(plan)))


def _lines(plan: UndoPlan) -> list[str]:
    lines = [f"{plan.operation} on {plan.target.table}. {plan.guard_said}"]
    for path, kind, old, new in plan.differences:
        said = f"  {path} ({kind}): {_short(old)} -> {_short(new)}"
        lines.append(said.encode("utf-8", "backslashreplace").decode())
    return [*lines, "Nothing was written. --format python prints a script that would."]


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = str(dict(value))
    return text if len(text) <= 80 else f"{text[:79]}…"
