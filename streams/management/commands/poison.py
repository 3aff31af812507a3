"""`manage.py poison [list|retry ID…|skip ID… --reason TEXT]`: records that could not be read."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from streams.errors import ReasonMissing, UnreadableRecord
from streams.management.failures import explained
from streams.models import PoisonRecord
from streams.queries.spelled import line
from streams.stages import settle

_WHO = "command line"


class Command(BaseCommand):
    help = "List the records that could not be read and are not settled; try them again or skip."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = ["list", "retry", "skip"]
        parser.add_argument("action", nargs="?", choices=actions, default="list")
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="as `list` shows them")
        parser.add_argument("--reason", default="", help="why they are skipped; required for that")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, **options: Any) -> None:
        action, ids = options["action"], options["ids"]
        if (action == "list") == bool(ids):
            raise CommandError(
                "`poison list` takes no ID." if ids else f"Name the records: poison {action} ID…",
                returncode=2,
            )
        with explained():
            if action == "list":
                self._list(options["json"])
                return
            done = [self._settle(record, options) for record in _records(ids)]
        if not all(done):
            raise CommandError("Some records are still open.", returncode=1)

    def _list(self, as_json: bool) -> None:
        found = False
        for record in _open().iterator(chunk_size=100):
            found = True
            self.stdout.write(line(_spelled(record)) if as_json else _line(record))
        if not found and not as_json:
            self.stdout.write("Every record could be read, or is settled.")

    def _settle(self, record: PoisonRecord, options: dict[str, Any]) -> bool:
        """Retry or skip one record, and say what came of it; False if it is still open."""
        why = ""
        try:
            if options["action"] == "retry":
                settle.retry(record, _WHO)
            else:
                settle.skip(record, _WHO, options["reason"])
        except UnreadableRecord as error:
            why = str(error)
        except ReasonMissing as error:
            raise CommandError(f"{error} Add --reason TEXT.", returncode=2) from error
        record.refresh_from_db()
        if options["json"]:
            self.stdout.write(line({**_spelled(record), "why": why}))
        else:
            said = record.get_outcome_display() if record.outcome else f"still open: {why}"
            self.stdout.write(f"{record.pk}: {said}")
        return bool(record.outcome)


def _open() -> Any:
    rows = PoisonRecord.objects.filter(outcome="").order_by("pk")
    return rows.select_related("shard__stream")


def _records(ids: list[int]) -> Iterator[PoisonRecord]:
    known = {
        record.pk: record
        for record in PoisonRecord.objects.filter(pk__in=ids).select_related("shard__stream")
    }
    for number in ids:
        if number not in known:
            raise CommandError(f"There is no record {number}: see `poison list`.", returncode=2)
        yield known[number]


def _spelled(record: PoisonRecord) -> dict[str, Any]:
    return {
        "id": record.pk,
        "stream": record.shard.stream.name,
        "shard": record.shard.name,
        "sequence": record.sequence,
        "reason": record.reason,
        "seen_at": record.seen_at,
        "raw": bytes(record.raw).decode("utf-8", "backslashreplace"),
        "outcome": record.outcome or "open",
        "settled_at": record.settled_at,
        "settled_by": record.settled_by,
    }


def _line(record: PoisonRecord) -> str:
    return (
        f"{record.pk:>6}  {record.seen_at:%Y-%m-%d %H:%M:%S}  {record.shard.stream.name}  "
        f"{record.sequence or 'unknown sequence'}  {record.reason}"
    )
