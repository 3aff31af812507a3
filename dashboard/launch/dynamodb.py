"""The demo's DynamoDB as a service of the launcher; what it runs is `dashboard/demo/service.py`."""

import socket
import sys

from dashboard.launch.home import LOOPBACK, Home
from dashboard.launch.processes import Process


class DemoDynamoDB:
    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.path / "dynamodb"
        self.log = home.log / "dynamodb.log"
        self.port = 0

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.port = self.home.free_port("dynamodb")

    def process(self) -> Process:
        command = [sys.executable, "-m", "dashboard.demo.service", "--port", str(self.port)]
        command += ["--state", str(self.folder / "state.json")]
        return Process("dynamodb", command, log=self.log)

    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def answers(self) -> bool:
        # Not by binding the port: that might be at the very moment in which it wants to.
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0
