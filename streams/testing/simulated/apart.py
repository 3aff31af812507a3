"""The service as a process of its own, for tests of whole installations; orders go over HTTP."""

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from streams.testing.simulated.service import CONTROL_PATH


class Apart:
    def __init__(self, url: str) -> None:
        self.url = url

    def order(self, do: str, **given: Any) -> Any:
        """Give an order of control.py; its result."""
        body = json.dumps({"do": do, **given}).encode()
        request = urllib.request.Request(f"{self.url}{CONTROL_PATH}", data=body)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            return json.load(answer)["result"]

    def written(self, table: str) -> list[int]:
        """The sequences of all records, sorted."""
        truth = self.order("truth", table=table).values()
        found = (record for shards in truth for records in shards.values() for record in records)
        return sorted(int(record["sequence"]) for record in found)

    def violations(self) -> list[str]:
        """What the clients did wrong, as sentences."""
        found = self.order("violations")
        return [f"{v['kind']} {v['about']}: {v['detail']} ({v['count']} times)" for v in found]


@contextlib.contextmanager
def apart(scenario: Mapping[str, Any], folder: Path) -> Iterator[Apart]:
    """Run the service with this scenario (scenario.py) until the block ends."""
    file = folder / "scenario.json"
    file.write_text(json.dumps(scenario))
    command = [sys.executable, "-m", "streams.testing.simulated", "--scenario", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout  # noqa: S101 - it is a pipe
            yield Apart(process.stdout.readline().strip())
        finally:
            process.terminate()
