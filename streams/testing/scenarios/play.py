"""Carrying a scenario out: the world, the crew and the database, step by step; then it settles."""

import random
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from django.db import connection

from streams.models import FeedHead, Gap, Poller, Problem, Rule, Shard, Stream
from streams.stages import add, lease
from streams.testing.scenarios import clocks
from streams.testing.scenarios.check import Facts, faults_of, violations
from streams.testing.scenarios.crew import HURRY, Crew
from streams.testing.scenarios.plan import Scenario, Step
from streams.testing.scenarios.rules import save_rules, wrong_matches
from streams.testing.simulated.clock import Clock
from streams.testing.simulated.control import Control
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.server import serving
from streams.testing.simulated.service import Service
from streams.testing.simulated.shards import Shard as ServedShard
from streams.testing.simulated.streams import Limits
from streams.testing.simulated.watch import Watch
from streams.testing.simulated.world import World

TABLE = "orders"
# The table is so much older than the stream; a start in time lies between its first writes.
_OLDER_SECONDS = 7_200
_START_SECONDS = 3_000
_KEPT_HOURS = 24 - _OLDER_SECONDS / 3600
# The longest that a settling may take on a loaded machine; the usual is less than a second.
_PATIENCE = 30.0
_DISTURBING = {"kill", "steal", "cut-connections", "jump", "pause"}


class Failed(AssertionError):
    """What did not hold, with the scenario and how to run it alone."""


class Play:
    """One scenario on a service of its own."""

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        ahead: "Synchronized[float]",
        bug: str = "",
        *,
        patience: float = _PATIENCE,
    ) -> None:
        self.scenario = scenario
        self._patience = patience
        self._ahead = ahead
        self._move_clocks(0.0)
        world = World(
            scenario.seed,
            clock=Clock(time.time() - _OLDER_SECONDS),
            limits=Limits(**scenario.limits),
        )
        watch = Watch(monotonic=lambda: time.monotonic() * HURRY)
        self.service = Service(world, watch=watch)
        self.world = world
        self._control: Control = self.service.control
        world.create_table(TABLE, view_type=scenario.view_type, shards=scenario.shards)
        self._crew = Crew(scenario.seats, folder / f"{scenario.seed}.log", ahead, bug)
        self._url = ""
        self._added = 0
        self._start_at = 0.0
        self.stream: Stream
        self._steps = self._all_steps()

    def run(self) -> None:
        """Play and settle; Failed if something does not hold."""
        save_rules()
        with serving(self.service) as self._url:
            try:
                for step in self.scenario.steps:
                    self._do(step)
                self._settle()
            finally:
                self._crew.end()
                _clear()

    def _all_steps(self) -> dict[str, Callable[..., Any]]:
        """What each step of plan.py does here."""
        world, crew = self.world, self._crew
        return {
            "add": self._add,
            "write": self._write,
            "split": lambda which: world.split(TABLE, self._open_shard(which)),
            "roll-over": lambda which: world.roll_over(TABLE, self._open_shard(which)),
            "fault": self._fault,
            "mend": self.service.faults.clear,
            "start": crew.start_poller,
            "stop": crew.stop_poller,
            "kill": crew.kill_poller,
            "kill-lister": self._kill_lister,
            "steal": self._steal,
            "pause": lambda: add.pause(Stream.objects.get(pk=self.stream.pk), "test"),
            "resume": lambda: add.resume(Stream.objects.get(pk=self.stream.pk), "test"),
            "cut-connections": _cut_connections,
            "replace": self._replace,
            "jump": lambda hours: self._jump(hours * 3600),
            "lose": self._lose,
            "wait": lambda seconds: time.sleep(seconds),
            "catch-up": self._catch_up,
        }

    def _do(self, step: Step) -> None:
        given = dict(step)
        self._steps[given.pop("do")](**given)

    def _add(self) -> None:
        """Add the stream. The clocks meet here: what was written before is up to two hours old."""
        self.world.clock.advance(max(0.0, time.time() - self.world.clock.now()))
        self._added = max((r.sequence for r in self._records()), default=0)
        self._start_at = time.time() - _START_SECONDS
        options = {"table": TABLE, "region": self.world.region, "endpoint_url": self._url}
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._start_at))
        self._start_at = float(int(self._start_at))
        start = moment if self.scenario.start == "time" else self.scenario.start
        name = f"seed-{self.scenario.seed}"
        self.stream = add.add_stream(name, "dynamodb", options, start, "test")
        self._crew.start_lister()

    def _write(self, count: int, dice: int, poison: str = "") -> None:
        """Puts and deletes of a few items."""
        rolls = random.Random(dice)  # noqa: S311 - reproducible on purpose
        before = not hasattr(self, "stream")
        for number in range(count):
            key = {"pk": {"S": f"key-{rolls.randrange(self.scenario.keys)}"}}
            if not poison and rolls.random() < 0.2:
                self.world.delete(TABLE, key, by_time_to_live=rolls.random() < 0.5)
            else:
                text = {"S": f"{dice} {number}"}
                self.world.put(TABLE, {**key, "text": text}, poison_kind=poison)
        if before:
            self.world.clock.advance(_OLDER_SECONDS / 4)

    def _records(self) -> list[Any]:
        truth = self.world.truth(TABLE).values()
        return [r for shards in truth for records in shards.values() for r in records]

    def _open_shard(self, which: int) -> str:
        shards = self.world.stream_of(TABLE).tree.open_shards()
        return shards[which % len(shards)].id

    def _fault(self, **given: Any) -> None:
        with self.world.lock:
            self.service.faults.add(Fault.of(given))

    def _kill_lister(self) -> None:
        self._crew.kill_lister()
        self._crew.start_lister()

    def _steal(self, which: int) -> None:
        """Take a lease away, as another poller would that thinks it has run out."""
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE streams_shard SET lease_owner = 'thief', lease_token = lease_token + 1,
                       lease_expires_at = clock_timestamp() + make_interval(secs => 0.2)
                   WHERE stream_id = %s AND ended_at IS NULL AND id %% 2 = %s""",
                [self.stream.pk, which % 2],
            )

    def _replace(self, missed: int, dice: int) -> None:
        self.world.disable(TABLE)
        if missed:
            self._write(missed, dice)
        self.world.enable(TABLE, self.scenario.view_type, self.scenario.shards)

    def _lose(self, which: int) -> None:
        with self.world.lock:
            listed: list[ServedShard] = list(self.world.stream_of(TABLE).tree.listed.values())
        self.world.lose(listed[which % len(listed)].id)

    def _catch_up(self) -> None:
        """Wait a moment for what is written to be stored, if anybody stores."""
        until = time.monotonic() + 0.2
        while time.monotonic() < until and self._crew.pollers() and self._behind():
            time.sleep(0.01)

    def _behind(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM streams_change WHERE stream_id = %s", [self.stream.pk]
            )
            return int(cursor.fetchone()[0]) < len(self._records())

    def _jump(self, seconds: float) -> None:
        """Move all clocks."""
        self._move_clocks(self._ahead.value + seconds)
        self.world.advance(seconds)

    def _move_clocks(self, ahead: float) -> None:
        clocks.set_ahead(ahead)
        self._ahead.value = ahead

    def _settle(self) -> None:
        """Mend everything and wait until all holds."""
        with self.world.lock:
            self.service.faults.clear()
        add.resume(Stream.objects.get(pk=self.stream.pk), "test")
        until = time.monotonic() + self._patience
        alive = -1
        while True:
            if self._crew.pollers() != alive:
                # A dead poller's leases and seat run out in ten seconds; only the clocks wait.
                self._jump(lease.LEASE_SECONDS + 1)
                if self._crew.pollers() == 0:
                    self._crew.start_poller()
                alive = self._crew.pollers()
            for_good = [*self._crew.crashes(), *violations(self._facts())]
            faults = for_good or faults_of(self._facts()) or wrong_matches(self.stream)
            if not faults:
                return
            if for_good or time.monotonic() > until:
                raise Failed(self._report(faults))
            time.sleep(0.1)

    def _facts(self) -> Facts:
        steps = self.scenario.steps
        return Facts(
            service=self.service,
            table=TABLE,
            stream=Stream.objects.get(pk=self.stream.pk),
            start=self.scenario.start,
            start_at=self._start_at,
            added=self._added,
            disturbed=any(step["do"] in _DISTURBING or "dies" in step for step in steps),
            claims_trimmed=any(step.get("kind") == "trimmed" for step in steps),
            outage=sum(step.get("hours", 0) for step in steps) >= _KEPT_HOURS,
        )

    def _report(self, faults: list[str]) -> str:
        shards = Shard.objects.filter(stream=self.stream).order_by("id")
        names = ("name", "generation", "listed", "closed", "ended", "position", "lease_owner")
        problems = Problem.objects.filter(stream=self.stream).values_list("kind", "sentence")
        lines = [
            "This does not hold:",
            *faults[:20],
            str(self.scenario),
            f"run it alone: make scenarios FIRST={self.scenario.seed} SEEDS=1",
            *(f"shard {row}" for row in shards.values_list(*names)),
            *(f"gap {gap}" for gap in Gap.objects.filter(stream=self.stream)),
            *(f"problem {row}" for row in problems),
            f"struck {self.service.faults.struck()}",
            self._crew.log(),
        ]
        return "\n".join(lines)


def _cut_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )


def _clear() -> None:
    Stream.objects.all().delete()
    Poller.objects.all().delete()
    Rule.objects.all().delete()
    FeedHead.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM streams_change")
