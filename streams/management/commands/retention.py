"""`manage.py retention [STREAM] [--json]`: what is stored, and when it will be dropped."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from streams.management.failures import explained
from streams.models import Stream
from streams.queries.find_stream import find_stream
from streams.queries.retention import PlannedLeaf, dropped_until, plan, spelled_size
from streams.queries.spelled import line


class Command(BaseCommand):
    help = "Show each part of the stored changes with its size, and when it will be dropped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("stream", nargs="?", help="default: all")
        parser.add_argument("--json", action="store_true", help="one JSON object a stream and line")

    def handle(self, **options: Any) -> None:
        with explained():
            name = options["stream"]
            for stream in [find_stream(name)] if name else Stream.objects.all():
                leaves, dropped = plan(stream, stream.keep_days), dropped_until(stream.pk)
                if options["json"]:
                    kept = {"stream": stream.name, "keep_days": stream.keep_days}
                    said = line({**kept, "dropped_until": dropped, "leaves": leaves})
                else:
                    said = "\n".join([_head(stream), *map(_line, leaves)])
                self.stdout.write(said)


def _head(stream: Stream) -> str:
    kept = f"{stream.keep_days} days" if stream.keep_days else "for ever"
    return f"{stream.name}: changes are kept {kept}."


def _line(leaf: PlannedLeaf) -> str:
    return (
        f"  {leaf.from_at:%Y-%m-%d} up to {leaf.to_at:%Y-%m-%d}  about {leaf.rows:>11,} changes  "
        f"{spelled_size(leaf.size):>10}  dropped {leaf.fate}"
    )
