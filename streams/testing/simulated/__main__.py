"""The service as a process of its own:

python -m streams.testing.simulated --port 8000 --scenario FILE
python -m streams.testing.simulated --port 8000 --canned --records 1000000 --shards 4
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path

import uvloop

from streams.testing.simulated.canned import CannedService, Recording
from streams.testing.simulated.exchange import Answers
from streams.testing.simulated.scenario import service_of
from streams.testing.simulated.server import LOOPBACK, listen, port_of


def main(arguments: list[str]) -> None:
    given = _parser().parse_args(arguments)
    uvloop.run(_serve(_answers(given), given.port))


def _answers(given: argparse.Namespace) -> Answers:
    if given.canned:
        second = given.second or int(time.time())
        recording = Recording(given.records, given.record_bytes, given.shards, given.closed, second)
        return CannedService(recording, prepare=given.prepare)
    return service_of(json.loads(Path(given.scenario).read_text()) if given.scenario else {})


async def _serve(answers: Answers, port: int) -> None:
    server = await listen(answers, port)
    sys.stdout.write(f"http://{LOOPBACK}:{port_of(server)}\n")
    sys.stdout.flush()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m streams.testing.simulated")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one (the default)")
    parser.add_argument("--scenario", help="a JSON file: tables, faults, a script (scenario.py)")
    parser.add_argument("--canned", action="store_true", help="recorded pages at full speed")
    parser.add_argument("--records", type=int, default=100_000, help="in all shards together")
    parser.add_argument("--record-bytes", type=int, default=800)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--closed", action="store_true", help="the shards end after their records")
    parser.add_argument("--prepare", action="store_true", help="all pages in memory beforehand")
    parser.add_argument("--second", type=int, help="when the records happened; now, if not given")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
