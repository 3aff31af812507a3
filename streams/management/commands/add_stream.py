"""`manage.py add_stream NAME --table T`: watch a table's stream."""

from argparse import ArgumentParser
from getpass import getuser
from typing import Any

from django.core.management.base import BaseCommand

from streams.management.failures import explained
from streams.sources.registry import SOURCES
from streams.stages.add import add_stream


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

    def handle(self, **options: Any) -> None:
        given = {name: options[name] for name in ("table", "region", "endpoint_url", "role_arn")}
        with explained():
            stream = add_stream(options["name"], options["source"], given, options["start"], _who())
        self.stdout.write(
            f"Stream {stream.name} added: {stream.options['table']}, {stream.view_type}, "
            f"{stream.shards.count()} shards."
        )


def _who() -> str:
    try:
        return f"{getuser()} (command line)"
    except (KeyError, OSError):  # a container's user without a name
        return "command line"
