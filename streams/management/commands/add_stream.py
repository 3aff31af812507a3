"""`manage.py add_stream NAME --table T`: watch a table's stream."""

from argparse import ArgumentParser, ArgumentTypeError
from getpass import getuser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from streams.management.failures import explained
from streams.sources.registry import SOURCES
from streams.stages.add import add_stream, parse_indexed, parse_names


class Command(BaseCommand):
    help = "Check a source and watch it. Credentials come from boto3's own chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="how the stream is called here")
        parser.add_argument("--source", default="dynamodb", choices=sorted(SOURCES))
        parser.add_argument("--table", required=True, help="the table's name or ARN")
        parser.add_argument("--region", default="", help="default: boto3's own")
        parser.add_argument("--endpoint-url", default="", help="for local stand-ins")
        parser.add_argument("--role-arn", default="", help="a role to assume for reading")
        parser.add_argument(
            "--start",
            default="latest",
            help="latest (default), trim-horizon, or a time such as 2026-11-21T10:00Z or 2h",
        )
        parser.add_argument(
            "--keep-days",
            type=_days,
            default=settings.KEEP_DAYS,
            metavar="DAYS",
            help="drop changes older than so many days, or forever (default: "
            f"{settings.KEEP_DAYS or 'forever'})",
        )

        parser.add_argument(
            "--index",
            type=parse_indexed,
            default=None,
            metavar="NAMES",
            help="attributes whose values search finds by an index, separated by commas; default: "
            "those that look like ids; - for none",
        )
        parser.add_argument(
            "--ignore",
            type=parse_names,
            default=[],
            metavar="NAMES",
            help="attributes whose changes are noise, separated by commas: stored like all, but "
            "lists hide a change of nothing else at first",
        )

    def handle(self, **options: Any) -> None:
        given = {name: options[name] for name in ("table", "region", "endpoint_url", "role_arn")}
        with explained():
            stream = add_stream(
                options["name"],
                options["source"],
                given,
                options["start"],
                _who(),
                options["keep_days"],
                options["index"],
                options["ignore"],
            )
        self.stdout.write(
            f"Stream {stream.name} added: {stream.options['table']}, {stream.view_type}, "
            f"{stream.shards.count()} shards."
        )


def _days(text: str) -> int | None:
    if text == "forever":
        return None
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of days. Write 30, or forever.")
    return int(text)


def _who() -> str:
    try:
        return f"{getuser()} (command line)"
    except (KeyError, OSError):  # a container's user without a name
        return "command line"
