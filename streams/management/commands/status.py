"""`manage.py status [--shards [STREAM]] [--json]`: the overview in a shell, or every shard."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from streams.management.failures import explained
from streams.models import Stream
from streams.queries.find_stream import find_stream
from streams.queries.overview import StreamStatus, statuses, system
from streams.queries.shards import MOST, ShardStatus, ShardStatuses, shard_statuses
from streams.queries.spelled import line
from streams.state import UNTOLD, spell

# The argument was given without a stream: all streams.
_ALL = ""


class Command(BaseCommand):
    help = "Show every stream's state, the worst first; with --shards every shard's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--shards", nargs="?", const=_ALL, metavar="STREAM", help="its shards, or all streams'"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, **options: Any) -> None:
        with explained():
            health = system()
            if options["shards"] is None:
                found = statuses(health)
                answer: dict[str, object] = {"system": health, "streams": found}
                lines = [_line(status) for status in found]
            else:
                shards = _shards(options["shards"])
                answer = {"system": health, "shards": shards, "most": MOST}
                lines = [text for one in shards for text in _shard_lines(one)]
        if options["json"]:
            self.stdout.write(line(answer))
            return
        if health.level != "ok":
            self.stdout.write(health.sentence)
        for text in lines:
            self.stdout.write(text)
        if not lines:
            self.stdout.write("No stream yet. Add one: manage.py add_stream NAME --table TABLE")


def _shards(name: str) -> list[ShardStatuses]:
    streams = Stream.objects.all() if name == _ALL else [find_stream(name)]
    return [shard_statuses(stream) for stream in streams]


def _line(status: StreamStatus) -> str:
    return (
        f"{status.state:<9} {status.name:<20} lag {_span(status.lag_seconds):>12}  "
        f"{status.shards_open:>4} of {status.shards} shards  {status.changes:>10} changes  "
        f"{status.rate:>7}/s  {status.sentence}{_left(status)}"
    )


def _shard_lines(found: ShardStatuses) -> list[str]:
    more = [f"  … and more: the {MOST} worst are shown."] if found.more else []
    return [f"{found.stream}:", *[_shard_line(shard) for shard in found.shards], *more]


def _shard_line(shard: ShardStatus) -> str:
    throttled = f"  throttled {shard.throttled_percent} %" if shard.throttled_percent else ""
    return (
        f"  {shard.state:<9} {shard.name}  lag {_span(shard.lag_seconds):>12}  "
        f"read {_span(shard.read_seconds)} ago{throttled}  at {shard.position or '-'}  "
        f"{shard.sentence}{_left(shard)}"
    )


def _left(status: StreamStatus | ShardStatus) -> str:
    if status.time_left_seconds is None or status.state in UNTOLD:
        return ""
    return f" AWS keeps unread changes another {_span(status.time_left_seconds)}."


def _span(seconds: float | None) -> str:
    return "-" if seconds is None else spell(timedelta(seconds=seconds))
