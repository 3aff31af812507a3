"""Run one command, restart it when it crashes, and end it when the launcher is gone.

Every process of `manage.py up` runs under a leash of its own. The launcher alone holds the write
end of a FIFO, the lifeline; when it goes, by Ctrl-C or by `kill -9`, the leash reads end-of-file
and stops its command. Started as `python -S -E leash.py …`: standard library only, no Django.
"""

import argparse
import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds before a crashed command is started again
STEADY = 30.0  # a command that ran this long was well: the next pause is the first one again
AFTER_HURRY = 5.0  # seconds between the hurry signal and SIGKILL to the whole group
LOG_LIMIT = 10_000_000  # bytes; a bigger log is set aside as .1 when its command starts
LOCK_HELD = 75  # EX_TEMPFAIL: the same process of an earlier start is still there


class Leash:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.requests = 0  # how often someone asked to stop; the second one is a hurry
        self.wake, waker = os.pipe()
        for end in (self.wake, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, self._wake_only)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop_asked)
        self.lifeline = _open_lifeline(options.lifeline)
        self.lock = os.open(options.lock, os.O_RDWR | os.O_CREAT, 0o600)

    def run(self) -> int:
        """Return 0 after a stop that was asked for, else how the command failed."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.say("is still running from an earlier start")
            return LOCK_HELD
        pause, first = FIRST_PAUSE, True
        self._look_at_lifeline()
        while not self.requests:
            started = time.monotonic()
            code = self._run_once()
            lived = time.monotonic() - started
            if self.requests:
                break
            if self.options.once or (first and code > 0 and lived < self.options.must_live):
                return code if code >= 0 else 128 - code
            pause, first = (FIRST_PAUSE if lived > STEADY else pause), False
            self.say(f"{_ending(code)}; starting it again in {pause:g} s")
            self._wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return 0

    def say(self, text: str) -> None:
        # Under honcho the prefix is honcho's; with a log file of its own nobody adds one.
        prefix = time.strftime(f"%H:%M:%S {self.options.name} | ") if self.options.log else ""
        try:
            sys.stdout.write(f"{prefix}{self.options.name} {text}\n")
            sys.stdout.flush()
        except OSError:
            pass  # the launcher took the terminal with it; stopping the command matters more

    def _run_once(self) -> int:
        child = self._start()
        # For the next launcher, if this leash should be killed: whom to kill in turn. Always of one
        # length, so that nobody reads half of it.
        os.pwrite(self.lock, f"{os.getpid():>10} {child.pid:>10}\n".encode(), 0)
        deadline, done = float("inf"), 0
        while child.poll() is None:
            if self.requests > done:
                done = self.requests
                hurry = done > 1
                self._signal(child, self.options.hurry if hurry else self.options.stop)
                deadline = time.monotonic() + (AFTER_HURRY if hurry else self.options.grace)
            elif time.monotonic() >= deadline:
                if done == 1:
                    self.requests = 2  # the grace is over: hurry
                    continue
                _kill_group(child.pid)
            self._wait(max(0.05, min(deadline - time.monotonic(), 3600)))
        # What a crashed command left behind (Celery's pool) would work on beside its successor.
        _kill_group(child.pid)
        return child.returncode

    def _start(self) -> subprocess.Popen[bytes]:
        log = self.options.log
        if log:
            if log.exists() and log.stat().st_size > LOG_LIMIT:
                log.replace(log.with_name(log.name + ".1"))
            log.touch(mode=0o600)
        with log.open("ab") if log else os.fdopen(os.dup(1), "ab") as output:
            return subprocess.Popen(  # noqa: S603  the launcher's own list, no shell
                self.options.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Inherited, so that the lock is free only when the last descendant is gone.
                pass_fds=(self.lock,),
                start_new_session=True,  # the terminal's Ctrl-C is for the launcher alone
                **(
                    {"user": self.options.uid, "group": self.options.gid, "extra_groups": []}
                    if self.options.uid is not None
                    else {}
                ),
            )

    def _wait(self, seconds: float) -> None:
        """Sleep until a signal, the launcher's end, or the time."""
        watched = [self.wake] if self.lifeline is None else [self.wake, self.lifeline]
        ready = select.select(watched, [], [], seconds)[0]
        if self.wake in ready:
            os.read(self.wake, 4096)
        if self.lifeline in ready:
            self._look_at_lifeline()

    def _look_at_lifeline(self) -> None:
        """Take the launcher's end, seen as end-of-file, for its request to stop."""
        try:
            if self.lifeline is not None and os.read(self.lifeline, 1):
                return
        except BlockingIOError:
            return
        self.lifeline = None
        self.requests = max(self.requests, 1)

    def _signal(self, child: subprocess.Popen[bytes], name: str) -> None:
        # To the command alone: Celery's and PostgreSQL's children must hear it from their parent.
        if name == "KILL":
            _kill_group(child.pid)
        else:
            child.send_signal(signal.Signals[f"SIG{name}"])

    def _stop_asked(self, number: int, frame: FrameType | None) -> None:
        self.requests += 1

    def _wake_only(self, number: int, frame: FrameType | None) -> None:
        """Only there so that the wake-up pipe hears of a child's end."""


def _open_lifeline(path: Path) -> int | None:
    # Non-blocking: a plain open would wait for ever when the launcher is already gone.
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None  # the launcher stopped before this leash had started


def _kill_group(group: int) -> None:
    # Nobody is left; or macOS, which says "not permitted" for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="leash")
    parser.add_argument("--name", required=True)
    parser.add_argument("--lifeline", type=Path, required=True)
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--stop", default="TERM", help="signal that asks the command to end")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds it has for that")
    parser.add_argument("--hurry", default="KILL", help="signal after that, or when asked twice")
    parser.add_argument("--log", type=Path, help="the command's output goes here")
    parser.add_argument("--once", action="store_true", help="never start it again")
    parser.add_argument(
        "--must-live", type=float, default=0.0, help="ending sooner the first time is final"
    )
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(Leash(parse(sys.argv[1:])).run())
