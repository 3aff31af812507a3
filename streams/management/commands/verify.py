"""`manage.py verify [STREAM…]`: prove that the stored history is complete and unaltered."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from streams.management.failures import explained
from streams.models import Stream
from streams.queries.find_stream import find_stream
from streams.queries.verify import verify


class Command(BaseCommand):
    help = "Recompute the ledger's chain; exits 1 and names the first row that does not fit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("streams", nargs="*", help="default: all")

    def handle(self, **options: Any) -> None:
        with explained():
            names = options["streams"]
            streams = [find_stream(name) for name in names] or list(Stream.objects.all())
            broken = [verdict for stream in streams if (verdict := self._verify(stream))]
        if broken:
            raise CommandError("The history is not as it was stored.", returncode=1)

    def _verify(self, stream: Stream) -> str | None:
        verdict = verify(stream)
        result = verdict.broken or "the chain is whole"
        self.stdout.write(
            f"{stream.name}: {verdict.batches} batches, {verdict.changes} changes; {result}"
        )
        return verdict.broken
