"""How fast is the whole path, from GetRecords to committed changes?

    .venv/bin/python benchmarks/ingest.py [--json] [--records N] [--shards N] [--pollers N]
                                          [--rounds N]

Four ways over the same recorded pages (records of about 800 bytes with both images, served over
HTTP from memory by another process), each into a fresh table, in one run:

    plain   boto3's client and parser, TypeDeserializer, ORM bulk_create with ignore_conflicts
    ours    the real poller: leases, parse, ledger, digest, index, problems and publish on
    rules   the same with 1,000 active rules (ingest_rules.py) that match few changes
    floor   COPY of rows made ready beforehand into our table, and nothing else

Prints changes a second, the ratios, and the poller's peak memory.
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from database import ROOT, fresh_database

REGION = "eu-central-1"
PLAIN_RECORDS = 20_000  # it is slow: a part of the pages tells its speed
RULES = 1_000
FLOOR_RECORDS = 200_000  # its rows are all in memory beforehand


def serve(records: int, shards: int) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "streams.testing.simulated", "--canned", "--closed"]
    command += ["--prepare", "--records", str(records), "--shards", str(shards)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    return server, server.stdout.readline().strip()


def measure_ours(
    records: int, shards: int, pollers: int, rules: int = 0
) -> tuple[float, float, int]:
    """Changes a second, the largest poller's peak memory in MB, and how often a rule matched."""

    from streams.models import Match, Shard
    from streams.stages.add import add_stream

    server, url = serve(records, shards)
    try:
        empty_tables()
        save_rules(rules)
        options = {"table": "canned", "region": REGION, "endpoint_url": url}
        add_stream("canned", "dynamodb", options, "trim-horizon", "benchmark")
        # Fresh processes: a forked one would begin with this one's memory.
        context = multiprocessing.get_context("spawn")
        ready, peaks = context.Barrier(pollers + 1), context.Queue()
        workers = [context.Process(target=run_poller, args=(ready, peaks)) for _ in range(pollers)]
        for worker in workers:
            worker.start()
        ready.wait()
        begun = database_time("clock_timestamp()")
        for worker in workers:
            worker.join()
        seconds = database_time("max(stored_at) FROM streams_batch") - begun
        stored = sum(Shard.objects.values_list("changes", flat=True))
        assert stored >= records, f"{stored} of {records} were stored"
        peak = max(peaks.get() for _ in workers)
        return stored / seconds, peak, Match.objects.count()
    finally:
        server.terminate()


def save_rules(count: int) -> None:
    """So many rules, and no others, as if they had been saved one by one."""
    from django.utils import timezone
    from ingest_rules import rules

    from streams.models import Rule, RuleHead

    Rule.objects.all().delete()
    Rule.objects.bulk_create(
        Rule(name=f"rule {number}", version=1, ready_at=timezone.now(), **rule)
        for number, rule in enumerate(rules(count))
    )
    RuleHead.objects.update_or_create(pk=1, defaults={"number": count})


def database_time(expression: str) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT extract(epoch FROM t)::float8 FROM (SELECT {expression}) s(t)")
        return float(cursor.fetchone()[0])


def run_poller(ready: Any, peaks: Any) -> None:
    """One poller in a process of its own, until every shard has been read to its end."""
    import django

    django.setup()
    from streams.models import Shard
    from streams.stages.poll import Poller

    looked = [time.monotonic()]

    def done() -> bool:
        if time.monotonic() - looked[0] < 1:
            return False
        looked[0] = time.monotonic()
        return not Shard.objects.filter(ended_at__isnull=True).exists()

    ready.wait()
    Poller(done, lambda _: None).run()
    # Not getrusage, which goes on counting from before the exec.
    status = Path("/proc/self/status").read_text()
    peaks.put(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def measure_floor(records: int) -> float:
    """COPY of ready rows, a batch of a page each, one transaction each."""
    from django.db import connection

    from streams import partitions
    from streams.stages import copy_change

    pages = [parsed for parsed in parsed_pages(records)]
    empty_tables()
    partitions.ensure(1, {partitions.day_of(change.occurred) for page in pages for change in page})
    ready = [
        b"".join(
            copy_change.encode(number, page, [copy_change.row(1, 1, change) for change in page])
        )
        for number, page in enumerate(pages)
    ]
    begun = time.perf_counter()
    for data in ready:
        with connection.cursor() as cursor, cursor.copy(copy_change.COPY) as copy:
            copy.write(data)
    return sum(map(len, pages)) / (time.perf_counter() - begun)


def parsed_pages(records: int) -> list[list[Any]]:
    from streams.indexing import indexed_of
    from streams.sources.dynamodb import reader
    from streams.sources.dynamodb import records as parser
    from streams.testing.simulated.canned import Recording

    indexed = indexed_of(None, None, [["pk", "S"]])
    recording = Recording(records=records, second=int(time.time()))
    return [
        [parser.parse(raw, 1, indexed) for raw in reader._page(body)[0]]
        for body in recording.pages()
    ]


def measure_plain(records: int) -> float:
    """What one would write first: boto3, its deserializer, and the ORM."""
    from boto3.dynamodb.types import TypeDeserializer
    from django.db import connection, models

    from streams.sources.dynamodb.client import boto_client
    from streams.testing.simulated.canned import STREAM_ARN as arn

    class PlainChange(models.Model):
        shard = models.CharField(max_length=200)
        sequence = models.CharField(max_length=50)
        event_id = models.CharField(max_length=50)
        operation = models.CharField(max_length=10)
        occurred_at = models.DateTimeField()
        key = models.JSONField()
        old = models.JSONField(null=True)
        new = models.JSONField(null=True)
        objects: ClassVar[models.Manager[models.Model]] = models.Manager()

        class Meta:
            app_label = "streams"
            constraints = [models.UniqueConstraint(fields=["shard", "sequence"], name="plain_once")]

        def __str__(self) -> str:
            return self.sequence

    deserializer = TypeDeserializer()

    def plain(image: dict[str, Any] | None) -> Any:
        if image is None:
            return None
        values = {name: deserializer.deserialize(value) for name, value in image.items()}
        return json.loads(json.dumps(values, default=str))

    with connection.schema_editor() as editor:
        editor.create_model(PlainChange)
    server, url = serve(records, shards=1)
    try:
        client = boto_client("dynamodbstreams", region=REGION, endpoint_url=url)
        (shard,) = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        begun, stored = time.perf_counter(), 0
        while iterator:
            page = client.get_records(ShardIterator=iterator)
            rows = [
                PlainChange(
                    shard=shard["ShardId"],
                    sequence=record["dynamodb"]["SequenceNumber"],
                    event_id=record["eventID"],
                    operation=record["eventName"],
                    occurred_at=record["dynamodb"]["ApproximateCreationDateTime"],
                    key=plain(record["dynamodb"]["Keys"]),
                    old=plain(record["dynamodb"].get("OldImage")),
                    new=plain(record["dynamodb"].get("NewImage")),
                )
                for record in page["Records"]
            ]
            PlainChange.objects.bulk_create(rows, ignore_conflicts=True)
            stored += len(rows)
            iterator = page.get("NextShardIterator")
        return stored / (time.perf_counter() - begun)
    finally:
        server.terminate()
        with connection.schema_editor() as editor:
            editor.delete_model(PlainChange)


def empty_tables() -> None:
    from django.db import connection

    from streams.models import Stream

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE streams_change, streams_batch CASCADE")
        cursor.execute("UPDATE streams_poller SET owner = '', expires_at = NULL")
    Stream.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--records", type=int, default=600_000)
    parser.add_argument("--shards", type=int, default=8, help="the backlog lies on so many")
    parser.add_argument("--pollers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is printed")
    options = parser.parse_args()
    with fresh_database():
        report(options)


def report(options: argparse.Namespace) -> None:
    ours: list[float] = []
    ruled: list[float] = []
    floor: list[float] = []
    peaks: list[float] = []
    plain = measure_plain(PLAIN_RECORDS)
    for _ in range(options.rounds):
        for speeds_so_far, rules in ((ours, 0), (ruled, RULES)):
            speed, peak, matches = measure_ours(
                options.records, options.shards, options.pollers, rules
            )
            speeds_so_far.append(speed)
            peaks.append(peak)
        floor.append(measure_floor(min(options.records, FLOOR_RECORDS)))
    medians = {"ours": ours, "rules": ruled, "floor": floor}
    speeds = {"plain": plain, **{name: statistics.median(s) for name, s in medians.items()}}
    found = {
        "ratio_to_plain": round(speeds["ours"] / speeds["plain"], 2),
        "ratio_to_copy": round(speeds["ours"] / speeds["floor"], 2),
        "ratio_with_1000_rules": round(speeds["rules"] / speeds["ours"], 2),
        "matches_per_1000_changes": round(1_000 * matches / options.records, 2),
        "pollers": options.pollers,
        "shards": options.shards,
        "peak_memory_mb": round(max(peaks)),
        **{f"{name}_per_second": round(speed) for name, speed in speeds.items()},
    }
    if options.json:
        print(json.dumps(found))
        return
    for name, speed in speeds.items():
        print(f"{name:<6} {speed:>10,.0f} changes/s")
    print(f"ours is {found['ratio_to_plain']} x plain, {found['ratio_to_copy']} x the floor;")
    print(f"with {RULES:,} rules it is {found['ratio_with_1000_rules']} x as fast;")
    print(f"{options.pollers} poller(s), {found['peak_memory_mb']} MB at most")


if __name__ == "__main__":
    main()
