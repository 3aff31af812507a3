"""`manage.py demo_shop`: a sample shop that keeps writing to a local DynamoDB."""

import signal
import threading
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard import env
from dashboard.demo.rules import RULES
from dashboard.demo.shop import Shop
from dashboard.demo.tables import REGION, TABLES, make_tables
from streams import rulebook
from streams.models import Stream
from streams.sources.dynamodb.client import boto_client


class Command(BaseCommand):
    help = "Keep writing sample orders, customers, sessions and stock to a local DynamoDB."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--endpoint-url",
            default=env.service("DELTAWATCH_DYNAMODB_URL", "dynamodb_url"),
            help="the local DynamoDB; default: the one of the running `make demo`",
        )
        parser.add_argument("--add-streams", action="store_true", help="watch the four tables")
        parser.add_argument("--setup-only", action="store_true", help="make tables, do not write")
        parser.add_argument("--seed", type=int, help="write the same story again")

    def handle(self, *args: Any, **options: Any) -> None:
        url = options["endpoint_url"]
        if not url:
            # Without an address boto3 would go to AWS, and the shop would write there.
            raise CommandError("Which DynamoDB? Give --endpoint-url, or run it beside `make demo`.")
        client = boto_client("dynamodb", region=REGION, endpoint_url=url)
        if options["add_streams"] or options["setup_only"]:
            make_tables(client)
        if options["add_streams"]:
            self._add_streams(url)
        if options["setup_only"]:
            return
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: over.set())
        seed = int(time.time()) if options["seed"] is None else options["seed"]
        Shop(client, seed, over, self._say).run()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _add_streams(self, url: str) -> None:
        known = set(Stream.objects.values_list("name", flat=True))
        if not known:  # at the first start: a rule that somebody deleted does not come back
            for content in RULES:
                rulebook.save(content, "demo", "From the sample shop.")
        for table in TABLES:
            if table in known:
                call_command("set_endpoint", table, url)
                continue
            call_command(
                "add_stream", table, "--source", "dynamodb", "--table", table, "--region", REGION,
                "--endpoint-url", url, "--start", "trim-horizon",
            )  # fmt: skip
