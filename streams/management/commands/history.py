"""`manage.py history STREAM KEY_JSON`: an item's versions, newest first; or what it was once."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError

from streams.item_key import canonical, item_id, label, parse
from streams.management.failures import explained
from streams.queries.as_of import AsOf, as_of, sentences
from streams.queries.find_stream import find_stream
from streams.queries.history import Version, versions
from streams.queries.spelled import line, spelled_version
from streams.when import parse_moment, spell_moment


class Command(BaseCommand):
    help = "Print every stored version of an item, newest first, or its state at a moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("stream")
        parser.add_argument(
            "key", help='the item\'s key: {"order_id": {"S": "4711"}}, {"order_id": "4711"} or 4711'
        )
        parser.add_argument(
            "--as-of",
            metavar="TIME",
            help="what it was then: 2026-11-21T10:00Z, epoch seconds, 2h, yesterday 14:00",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, **options: Any) -> None:
        with explained():
            stream = find_stream(options["stream"])
            key = parse(options["key"], stream.key_schema)
            item = item_id(stream.pk, canonical(key))
            if options["as_of"] is not None:
                state = as_of(stream, item, _moment(options["as_of"]))
                self.stdout.write(_state_json(state) if options["json"] else _state(state))
                return
            place, found = None, False
            while True:
                page = versions(stream, item, before=place)
                for version in page.versions:
                    found = True
                    self.stdout.write(_json(version) if options["json"] else _line(version))
                place = page.older
                if place is None:
                    break
            if not found:
                self.stderr.write(f"No change of {label(key)} is stored in {stream.name}.")
            if page.dropped_until and not options["json"]:
                self.stdout.write(
                    f"Changes before {spell_moment(page.dropped_until)} were dropped by retention."
                )


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text, datetime.now(UTC))
    except ValueError as error:
        raise CommandError(f"--as-of: {error}", returncode=2) from error


def _state(state: AsOf) -> str:
    """The certainty, and the image as the stream sent it."""
    image = [] if state.image is None else [state.image.decode("utf-8", "backslashreplace")]
    return "\n".join([*sentences(state), *image])


def _state_json(state: AsOf) -> str:
    return line(
        {
            "moment": state.moment,
            "kind": state.kind,
            "exact": state.exact,
            "image": None if state.image is None else msgspec.Raw(state.image),
            "change": state.change and state.change.id,
            "next": state.next and state.next.id,
            "sentences": sentences(state),
        }
    )


def _json(version: Version) -> str:
    return line(spelled_version(version.change, version.images))


def _line(version: Version) -> str:
    change, gaps = version.change, version.gaps
    changed = ", ".join(change.changed) if change.changed else ""
    lines = [
        f"{change.occurred_at:%Y-%m-%d %H:%M:%S} {change.operation:<6} {change.sequence}  {changed}"
    ]
    lines += [f"  gap: {gap}: changes in this time were not recorded" for gap in gaps]
    return "\n".join(lines)
