"""`manage.py status [--json]`: the overview in a shell."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from streams.management.failures import explained
from streams.queries.overview import StreamStatus, statuses, system
from streams.queries.spelled import line


class Command(BaseCommand):
    help = "Show every stream's state, the worst first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, **options: Any) -> None:
        with explained():
            found, health = statuses(), system()
        if options["json"]:
            self.stdout.write(line({"system": health, "streams": found}))
            return
        if health.level != "ok":
            self.stdout.write(health.sentence)
        for status in found:
            self.stdout.write(_line(status))
        if not found:
            self.stdout.write("No stream yet. Add one: manage.py add_stream NAME --table TABLE")


def _line(status: StreamStatus) -> str:
    lag = "-" if status.lag_seconds is None else f"{status.lag_seconds:.0f} s"
    return (
        f"{status.state:<9} {status.name:<20} lag {lag:>7}  {status.shards_open:>4} of "
        f"{status.shards} shards  {status.changes:>10} changes  {status.rate:>7}/s  "
        f"{status.sentence}"
    )
