"""`manage.py blame STREAM KEY_JSON [PATH]`: which change gave each field its present value."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from streams.field_path import parse_path
from streams.item_key import canonical, item_id, label, parse
from streams.management.failures import explained
from streams.queries.blame import Blame, Blamed, blame
from streams.queries.find_stream import find_stream
from streams.queries.spelled import line


class Command(BaseCommand):
    help = "Print which change gave each field of an item its present value, and how often it did."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("stream")
        parser.add_argument("key", help="the item's key, as `history` takes it")
        parser.add_argument("path", nargs="?", default="", help="inside a map or list: address")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, **options: Any) -> None:
        with explained():
            stream = find_stream(options["stream"])
            key = parse(options["key"], stream.key_schema)
            try:
                path = parse_path(options["path"]) if options["path"] else ()
            except ValueError as error:
                raise CommandError(str(error), returncode=2) from error
            found = blame(stream, item_id(stream.pk, canonical(key)), path)
        if found.newest is None:
            self.stderr.write(f"No change of {label(key)} is stored in {stream.name}.")
        elif not found.known:
            self.stderr.write("What the item is now is not known: its newest image is not stored.")
        for blamed in found.attributes:
            self.stdout.write(_json(blamed) if options["json"] else _line(blamed, found))


def _json(blamed: Blamed) -> str:
    return line(
        {
            "path": blamed.path,
            "value": blamed.value,
            "change": blamed.giver and blamed.giver.id,
            "operation": blamed.giver and blamed.giver.operation,
            "occurred_at": blamed.giver and blamed.giver.occurred_at,
            "times": blamed.times,
            "gaps_since": len(blamed.gaps),
        }
    )


def _line(blamed: Blamed, found: Blame) -> str:
    giver = blamed.giver
    if giver:
        given = f"{giver.occurred_at:%Y-%m-%d %H:%M:%S} {giver.operation:<6} {giver.id}"
    else:
        given = "before the first recorded change" if found.whole else "longer ago"
    times = f"changed {blamed.times:,}{'' if found.whole else '+'} times"
    doubt = "; a gap since may hide another change" if blamed.gaps else ""
    said = f"{blamed.path}  {given}  {times}{doubt}"
    # A name may hold what no terminal takes.
    return said.encode("utf-8", "backslashreplace").decode()
