"""`manage.py tail STREAM`: the live feed in a shell, each change once, from any cursor."""

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

from streams.management.changes import json_line, text_line
from streams.management.failures import explained
from streams.queries import feed
from streams.queries.event import Matching
from streams.queries.find_stream import find_stream
from streams.queries.rows import Cursor, StoredChange
from streams.rules import compile_text
from streams.stages.publish import number_batches

_PAGE = 500
_PAUSE_SECONDS = 0.25


class Command(BaseCommand):
    help = "Print a stream's changes as they are stored, one a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("stream")
        parser.add_argument(
            "--from", dest="begin", default="now", help="start, now (default), or a cursor"
        )
        parser.add_argument(
            "--where", metavar="EXPR", help="only what matches, such as 'status: pending -> paid'"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--no-follow", action="store_true", help="end at the newest change")

    def handle(self, **options: Any) -> None:
        with explained():
            stream, where = find_stream(options["stream"]), options["where"]
            matches = Matching(stream, compile_text(where)) if where else None
            cursor = _begin(options["begin"])
            self._hidden = 0
            try:
                self._follow(stream.pk, cursor, matches, options)
            finally:
                if matches:
                    said = f"{self._hidden:,} changes did not match."
                    self.stderr.write(said, style_func=str)

    def _follow(
        self, stream_id: int, cursor: Cursor, matches: Matching | None, options: dict[str, Any]
    ) -> None:
        while True:
            try:
                number_batches()
                page = feed.read(cursor, streams=[stream_id], limit=_PAGE)
            except (OperationalError, InterfaceError):
                if options["no_follow"]:
                    raise
                _reconnect_later()
                continue
            self._print(page.changes, matches, options["json"])
            cursor = page.cursor
            if not page.more:
                if options["no_follow"]:
                    return
                time.sleep(_PAUSE_SECONDS)

    def _print(
        self, changes: Sequence[StoredChange], matches: Matching | None, as_json: bool
    ) -> None:
        for change in changes:
            if matches and not matches(change):
                self._hidden += 1
            else:
                self.stdout.write(json_line(change) if as_json else text_line(change))
        self.stdout.flush()


def _begin(text: str) -> Cursor:
    if text == "start":
        return feed.START
    if text == "now":
        number_batches()
        return feed.head()
    try:
        return Cursor.parse(text)
    except ValueError as error:
        raise CommandError(f"--from: {error}, or start or now.", returncode=2) from error


def _reconnect_later() -> None:
    """The database restarts: wait, then read on after the same cursor, so nothing is missed."""
    connection.close()
    time.sleep(1)
