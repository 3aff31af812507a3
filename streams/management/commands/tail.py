"""`manage.py tail STREAM`: the live feed in a shell, each change once, from any cursor."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

from streams.item_key import label
from streams.management.failures import explained
from streams.queries import feed
from streams.queries.find_stream import find_stream
from streams.queries.rows import Cursor, StoredChange
from streams.queries.spelled import line, spelled
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
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--no-follow", action="store_true", help="end at the newest change")

    def handle(self, **options: Any) -> None:
        with explained():
            stream = find_stream(options["stream"])
            cursor = _begin(options["begin"])
            self._follow(stream.pk, cursor, options)

    def _follow(self, stream_id: int, cursor: Cursor, options: dict[str, Any]) -> None:
        spell = _json if options["json"] else _line
        while True:
            try:
                number_batches()
                page = feed.read(cursor, streams=[stream_id], limit=_PAGE)
            except (OperationalError, InterfaceError):
                if options["no_follow"]:
                    raise
                _reconnect_later()
                continue
            for change in page.changes:
                self.stdout.write(spell(change))
            self.stdout.flush()
            cursor = page.cursor
            if not page.more:
                if options["no_follow"]:
                    return
                time.sleep(_PAUSE_SECONDS)


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


def _json(change: StoredChange) -> str:
    return line(spelled(change))


def _line(change: StoredChange) -> str:
    changed = ", ".join(change.changed) if change.changed else ""
    return (
        f"{change.occurred_at:%Y-%m-%d %H:%M:%S} {change.operation:<6} "
        f"{label(json.loads(change.keys))}  {changed}"
    )
