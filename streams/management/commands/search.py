"""`manage.py search 'EXPR'`: the stored changes that a filter matches, newest first."""

import shlex
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError

from streams.management.changes import json_line, text_line
from streams.management.failures import explained
from streams.queries.rows import StoredChange
from streams.queries.search import Place, search
from streams.rules import Filter, compile_text
from streams.when import parse_moment, spell_moment

T = TypeVar("T")
# So many are printed at once, while the search goes on.
_PAGE = 200
_DEFAULTS = {"limit": 100, "budget": 10.0}


class Command(BaseCommand):
    help = "Print the stored changes that match, newest first, as far as the time allows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "expression",
            nargs="?",
            default="",
            help="such as 'table:orders new.total>100', or an event pattern; empty finds all",
        )
        parser.add_argument("--since", help="2026-11-21T10:00Z, epoch seconds, or 15m, 2h, 1d ago")
        parser.add_argument("--until", help="the same; what happened then is left out")
        parser.add_argument("--oldest-first", action="store_true")
        parser.add_argument(
            "--limit", type=int, default=_DEFAULTS["limit"], help="how many (default 100)"
        )
        parser.add_argument(
            "--budget",
            type=float,
            default=_DEFAULTS["budget"],
            help="how many seconds to search (default 10)",
        )
        parser.add_argument("--continue", metavar="PLACE", help="where a search before this ended")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, **options: Any) -> None:
        if options["limit"] < 1 or options["budget"] < 0:
            raise CommandError("--limit must be 1 or more, --budget 0 or more.", returncode=2)
        now = datetime.now(UTC)
        for name in ("since", "until"):
            options[name] = _read(name, options[name], lambda text: parse_moment(text, now))
        options["continue"] = _read("continue", options["continue"], Place.parse)
        with explained():
            self._search(compile_text(options["expression"]), options)

    def _search(self, filter_: Filter, options: dict[str, Any]) -> None:
        way = "after" if options["oldest_first"] else "before"
        place, printed, looked_at = options["continue"], 0, 0
        ends = time.monotonic() + options["budget"]
        how: dict[str, None] = {}
        while True:
            found = search(
                filter_,
                since=options["since"],
                until=options["until"],
                oldest_first=options["oldest_first"],
                limit=min(options["limit"] - printed, _PAGE),
                budget_seconds=ends - time.monotonic(),
                **{way: place},
            )
            self._print(found.changes, options["json"])
            printed, looked_at = printed + len(found.changes), looked_at + found.looked_at
            how.update(dict.fromkeys(found.how))
            place = found.newer if options["oldest_first"] else found.older
            if place is None or printed == options["limit"] or not found.complete:
                break
        said = [*how, _end(printed, looked_at, place, found.complete)]
        if place:
            said.append(f"To go on: {_again(options, place)}")
        # No error, so not in an error's colour.
        self.stderr.write("\n".join(said), style_func=str)

    def _print(self, changes: Sequence[StoredChange], as_json: bool) -> None:
        for change in changes:
            self.stdout.write(json_line(change) if as_json else text_line(change, named=True))
        self.stdout.flush()


def _read(name: str, text: str | None, read: Callable[[str], T]) -> T | None:
    try:
        return None if text is None else read(text)
    except ValueError as error:
        raise CommandError(f"--{name}: {error}", returncode=2) from error


def _end(printed: int, looked_at: int, place: Place | None, complete: bool) -> str:
    number = f"{printed:,} change{'' if printed == 1 else 's'}, {looked_at:,} looked at"
    if place is None:
        return f"{number}; everything was searched."
    to = f"searched to {spell_moment(place.moment)}"
    return f"{number}; {to}." if complete else f"{number}; the time is up, {to}."


def _again(options: dict[str, Any], place: Place) -> str:
    """The command that goes on exactly there. Its times are absolute, for later is not now."""
    words, expression = ["manage.py", "search"], options["expression"]
    for name in ("since", "until", "limit", "budget"):
        value = options[name]
        if isinstance(value, datetime):
            value = value.isoformat()
        if value is not None and value != _DEFAULTS.get(name):
            words += [f"--{name}", f"{value}"]
    words += [f"--{name.replace('_', '-')}" for name in ("oldest_first", "json") if options[name]]
    words += ["--continue", str(place)]
    # "--": an expression that begins with a minus is no option.
    return shlex.join([*words, *(["--", expression] if expression else [])])
