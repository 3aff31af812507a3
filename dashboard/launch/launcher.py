"""`manage.py up`, step by step: services, database, demo, applications; and back in that order.

Two lifelines make the order of stopping: the applications' is cut first, the services' when the
last application is gone, so PostgreSQL shuts down with no client left.
"""

import os
import shlex
import signal
import subprocess
import sys
from types import FrameType

from dashboard import env
from dashboard.launch.dynamodb import DemoDynamoDB
from dashboard.launch.herald import Herald, banner
from dashboard.launch.home import LOOPBACK, CannotStart, Home, Say, check_web_port
from dashboard.launch.postgres import EmbeddedPostgres, last_lines
from dashboard.launch.processes import Applications, Lifeline, Output, Process, on_leash
from dashboard.launch.services import Services
from dashboard.launch.valkey import EmbeddedValkey

MANAGE = [sys.executable, str(env.BASE_DIR / "manage.py")]
LAST_LINES = 15

# The demo's DynamoDB takes any key; the person's own profile must not get in its way.
DEMO_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_EC2_METADATA_DISABLED": "true",
}
NOT_IN_DEMO = ("AWS_PROFILE", "AWS_SESSION_TOKEN")


class Launcher:
    def __init__(self, home: Home, port: int, demo: bool, say: Say) -> None:
        self.home, self.port, self.demo, self.say = home, port, demo, say
        self.environment = dict(os.environ)
        self.services: Services
        self.lifeline: Lifeline

    def run(self) -> int:
        """Run until it is asked to stop: 0. When something died by itself: 1."""
        self.home.open()
        self.home.clear_leftovers(self.say)
        check_web_port(self.port, "make demo" if self.demo else "make up")
        self.home.check_space()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        # A closed terminal stops Deltawatch the same way, in whatever phase it is.
        signal.signal(signal.SIGHUP, lambda number, frame: os.kill(os.getpid(), signal.SIGTERM))
        self.services = Services(self.home)
        self.lifeline = Lifeline(self.home, "applications")
        try:
            self._start_services()
            self._step("prepare", "Preparing the database and the pages.", [])
            if self.demo:
                self._step(
                    "demo_shop", "Opening the demo's shop.",
                    ["--endpoint-url", self.dynamodb_url, "--add-streams", "--setup-only"],
                )  # fmt: skip
            return self._run_applications()
        except KeyboardInterrupt:
            return 0
        finally:
            self._stop_services()

    def _start_services(self) -> None:
        postgres = None if env.text("DATABASE_URL") else EmbeddedPostgres(self.home, self.say)
        valkey = None if env.text("REDIS_URL") else EmbeddedValkey(self.home)
        dynamodb = DemoDynamoDB(self.home) if self.demo else None
        self.say(f"Starting Deltawatch in {self.home.path}.")
        self.services.start([each for each in (postgres, valkey, dynamodb) if each])
        self.dynamodb_url = dynamodb.url() if dynamodb else ""
        addresses = {
            "database_url": postgres.url() if postgres else env.text("DATABASE_URL"),
            "redis_url": valkey.url() if valkey else env.text("REDIS_URL"),
            "web_url": f"http://{LOOPBACK}:{self.port}",
        }
        self.home.write_services(
            {**addresses, "dynamodb_url": self.dynamodb_url or None, "pid": os.getpid()}
        )
        # By the environment and not by options: `ps` shows a command line to everybody.
        self.environment |= {
            "DATABASE_URL": addresses["database_url"],
            "REDIS_URL": addresses["redis_url"],
            "DELTAWATCH_HOME": str(self.home.path),
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }
        if self.demo:
            for name in NOT_IN_DEMO:
                self.environment.pop(name, None)
            self.environment |= DEMO_CREDENTIALS
            # A proxy for the world outside cannot reach a service on this machine.
            direct = f"{os.environ.get('NO_PROXY', '')},{LOOPBACK}".lstrip(",")
            self.environment |= {"NO_PROXY": direct, "no_proxy": direct}

    def _step(self, command: str, announcement: str, options: list[str]) -> None:
        """Run one management command to its end; its output is shown only when it fails."""
        self.say(announcement)
        log = self.home.log / f"{command}.log"
        log.unlink(missing_ok=True)
        process = Process(command, [*MANAGE, command, *options], once=True, log=log)
        step = self._popen(process)
        try:
            code = step.wait()
        except KeyboardInterrupt:
            self.lifeline.cut()
            step.wait()
            raise
        if code:
            raise CannotStart(
                f"`manage.py {command}` failed. The end of its output, {log}:\n"
                f"{last_lines(log.read_text(errors='replace'), LAST_LINES)}"
            )

    def _popen(self, process: Process) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own list, no shell
            on_leash(process, self.home, self.lifeline),
            stdin=subprocess.DEVNULL,
            cwd=env.BASE_DIR,
            env=self.environment,
            start_new_session=True,
        )

    def _run_applications(self) -> int:
        output = Output(sys.stdout)
        applications = Applications(self.lifeline, output, started=lambda: herald.start())
        herald = Herald(
            self.port,
            banner(self.port, self.home.path / "admin.txt", self.home.path, self.demo),
            self.say,
            ended=self.services.ended,
            stop=applications.terminate,
        )
        for process in self._applications():
            command = shlex.join(on_leash(process, self.home, self.lifeline))
            applications.add_process(
                process.name, f"exec {command}", env=self.environment, cwd=str(env.BASE_DIR)
            )
        self.say("Starting the web server and the workers.")
        applications.loop()
        herald.over.set()
        return self._verdict(output, herald.gone)

    def _applications(self) -> list[Process]:
        port, processes = str(self.port), str(env.number("DELTAWATCH_WORKER_PROCESSES", 4, least=2))
        # Their warnings (a deprecated option, running as root) are ours to act on, not a person's.
        python = [sys.executable, "-W", "ignore", "-m"]
        celery = [*python, "celery", "--app", "dashboard", "--quiet"]
        web = [
            *(*python, "uvicorn", "dashboard.asgi:application"),
            *("--host", LOOPBACK, "--port", port, "--lifespan", "on", "--ws", "websockets"),
            # A browser sends a few hundred bytes at a time: filters and acknowledgements.
            *("--ws-max-size", "65536", "--no-access-log", "--log-level", "warning"),
            *("--timeout-graceful-shutdown", "3"),  # open sockets never end by themselves
        ]
        worker = [
            *(*celery, "worker", "--queues", "poll,work", "--concurrency", processes),
            *("--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
        ]
        schedule = str(self.home.run / "beat-schedule")
        beat = [*celery, "beat", "--schedule", schedule, "--loglevel", "WARNING"]
        shop = [*MANAGE, "demo_shop", "--endpoint-url", self.dynamodb_url]
        return [
            Process("web", web),
            Process("worker", worker),
            Process("beat", beat),
            *([Process("shop", shop)] if self.demo else []),
        ]

    def _verdict(self, output: Output, service: str | None) -> int:
        if output.interrupted and not service:
            return 0
        name = service or output.died or "a process"
        lines = output.last_lines(name)
        self.say(
            f"{name} ended by itself, so Deltawatch stops."
            + (f" Its last lines:\n{lines}" if lines else f" Its log is in {self.home.log}.")
        )
        return 1

    def _stop_services(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: self.services.hurry())
        self.lifeline.cut()
        self.services.stop()
        self.say("Stopped.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
