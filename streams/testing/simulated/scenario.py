"""A scenario: a JSON object that says what there is, what goes wrong, and what happens when.

{"seed": 7, "clock": {"start": 1800000000, "speed": 60}, "limits": {"rollover_seconds": 600},
 "tables": [{"table": "orders", "shards": 4}],
 "faults": [{"kind": "throttled", "operations": ["GetRecords"], "probability": 0.1}],
 "script": [{"at": 0, "do": "fill", "table": "orders", "count": 1000},
            {"at": 60, "do": "split", "table": "orders"}]}
"""

from collections.abc import Mapping
from typing import Any

from streams.testing.simulated.clock import Clock
from streams.testing.simulated.faults import Fault, Faults
from streams.testing.simulated.service import Service
from streams.testing.simulated.streams import Limits
from streams.testing.simulated.watch import Rates, Watch
from streams.testing.simulated.world import FIRST_SEQUENCE, World

_PARTS = {
    "seed", "clock", "limits", "region", "check_region", "first_sequence", "rates", "enforce",
    "tables", "faults", "script",
}  # fmt: skip


def service_of(scenario: Mapping[str, Any]) -> Service:
    """The service in the state where the scenario begins."""
    if unknown := set(scenario) - _PARTS:
        raise ValueError(f"a scenario has no {', '.join(sorted(unknown))}")
    seed = int(scenario.get("seed", 0))
    world = World(
        seed,
        clock=Clock(**scenario.get("clock", {})),
        region=scenario.get("region", "eu-central-1"),
        limits=Limits(**scenario.get("limits", {})),
        first_sequence=int(scenario.get("first_sequence", FIRST_SEQUENCE)),
    )
    watch = Watch(Rates(**scenario.get("rates", {})), enforce=scenario.get("enforce", True))
    check_region = scenario.get("check_region", False)
    service = Service(world, Faults(seed), watch, check_region=check_region)
    tables = [{"at": 0, "do": "create-table", **table} for table in scenario.get("tables", [])]
    service.faults.add(*map(Fault.of, scenario.get("faults", [])))
    service.control.add_script([*tables, *scenario.get("script", [])])
    service.control.play()
    return service
