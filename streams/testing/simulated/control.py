"""Orders to a running service: from a test in another process, or from a scenario's script.

An order is a JSON object: {"do": "write", "table": "orders", "items": […]}.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from streams.testing.simulated.faults import Fault, Faults
from streams.testing.simulated.orders import writes
from streams.testing.simulated.spelling import NEW_AND_OLD_IMAGES
from streams.testing.simulated.watch import Watch
from streams.testing.simulated.world import World, pairs, summary


class Control:
    def __init__(self, world: World, faults: Faults, watch: Watch) -> None:
        self._world, self._faults, self._watch = world, faults, watch
        self._began = world.clock.now()
        # (second, order), the next one first.
        self._script: list[tuple[float, dict[str, Any]]] = []
        self._orders: dict[str, Callable[..., Any]] = {
            "create-table": self._create_table,
            "delete-table": world.delete_table,
            "enable": self._enable,
            "disable": lambda table: world.disable(table),
            "write": self._write,
            "fill": self._fill,
            "delete": self._delete,
            "split": lambda table, shard="": [s.id for s in world.split(table, shard)],
            "merge": lambda table, first, second: world.merge(table, first, second).id,
            "roll-over": lambda table, shard="": [s.id for s in world.roll_over(table, shard)],
            "lose": lambda shard: world.lose(shard),
            "advance": lambda seconds: world.advance(seconds),
            "run-at": lambda speed: world.clock.run_at(speed),
            "now": lambda: world.clock.now(),
            "fault": lambda **given: self._faults.add(Fault.of(given)),
            "mend": lambda kinds=(): self._faults.clear(kinds),
            "struck": self._faults.struck,
            "violations": lambda: [asdict(v) for v in self._watch.violations()],
            "calls": lambda: dict(self._watch.calls),
            "forget": self._watch.forget,
            "shards": self._shards,
            "truth": self._truth,
        }

    def second(self) -> float:
        """Seconds of the service's clock since the scenario began."""
        return self._world.clock.now() - self._began

    def add_script(self, script: list[dict[str, Any]]) -> None:
        """Orders with an `at`: the second when they are due."""
        self._script += [(float(order.pop("at")), order) for order in map(dict, script)]
        self._script.sort(key=lambda due: due[0])

    def play(self) -> None:
        """Carry out what the script has for now and before."""
        while self._script and self._script[0][0] <= self.second():
            _, order = self._script.pop(0)
            self._carry_out(order)

    def do(self, body: bytes) -> tuple[int, bytes]:
        """Carry out an order; status and body of the answer."""
        try:
            return 200, json.dumps({"result": self._carry_out(json.loads(body))}).encode()
        except (ValueError, TypeError, KeyError) as error:
            return 400, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()

    def _carry_out(self, order: dict[str, Any]) -> Any:
        given = dict(order)
        return self._orders[given.pop("do")](**given)

    def _create_table(
        self,
        table: str,
        keys: list[list[str]] | None = None,
        view_type: str = NEW_AND_OLD_IMAGES,
        shards: int = 1,
    ) -> None:
        schema = pairs(keys) if keys else None
        self._world.create_table(table, schema, view_type=view_type, shards=shards)

    def _enable(self, table: str, view_type: str = NEW_AND_OLD_IMAGES, shards: int = 1) -> str:
        return self._world.enable(table, view_type, shards).arn

    def _write(self, table: str, items: list[Any], poison: str = "") -> list[str | None]:
        """Write items in typed JSON; the sequence numbers of their records."""
        written = [self._world.put(table, item, poison_kind=poison) for item in items]
        return [str(record.sequence) if record else None for record in written]

    def _fill(self, table: str, count: int, keys: int = 100, first: int = 0) -> int:
        """Write this many orders of a shop, over so many items; how many records that made."""
        written = [self._world.put(table, item) for item in writes(count, keys, first)]
        return sum(record is not None for record in written)

    def _delete(self, table: str, key: Any, by_time_to_live: bool = False) -> str | None:
        record = self._world.delete(table, key, by_time_to_live=by_time_to_live)
        return str(record.sequence) if record else None

    def _shards(self, table: str) -> dict[str, list[dict[str, Any]]]:
        return {
            arn: [summary(shard) for shard in stream.tree.all()]
            for arn, stream in self._world.streams.items()
            if stream.table == table
        }

    def _truth(self, table: str, raw: bool = False) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Every record ever written, by ARN and shard, in order; with its bytes, if wanted."""
        return {
            arn: {
                shard: [
                    {
                        "sequence": str(record.sequence),
                        "operation": record.operation,
                        "key": record.key,
                        "poison": record.poison,
                        "at": record.at,
                        **({"raw": base64.b64encode(record.raw).decode()} if raw else {}),
                    }
                    for record in records
                ]
                for shard, records in shards.items()
            }
            for arn, shards in self._world.truth(table).items()
        }
