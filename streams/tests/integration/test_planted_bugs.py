"""The random scenarios find mistakes that are planted in the engine's processes."""

from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pytest

from streams.testing.scenarios.plan import Scenario, Step
from streams.testing.scenarios.play import Failed, Play
from streams.tests.integration.test_random_scenarios import ahead as ahead

pytestmark = pytest.mark.django_db(transaction=True)


def write(count: int, dice: int) -> Step:
    return {"do": "write", "count": count, "dice": dice}


READING = [write(20, 1), {"do": "add"}, {"do": "start"}, write(20, 2), {"do": "catch-up"}]
STEPS: dict[str, list[Step]] = {
    "drop-a-record": [*READING, write(20, 3), {"do": "catch-up"}, write(20, 4)],
    "store-twice": READING,
    "read-a-child-early": [
        *(write(60, 1), {"do": "split", "which": 0}, write(60, 2), {"do": "add"}),
        {"do": "start"},
    ],
    "forget-a-gap": [
        *READING,
        *({"do": "stop", "which": 0}, write(20, 5), {"do": "jump", "hours": 25}, {"do": "start"}),
    ],
    "lose-a-match": READING,
}
SAYS = {
    "drop-a-record": "is missing",
    "store-twice": "is stored 2 times",
    "read-a-child-early": "child-before-parent",
    "forget-a-gap": "is lost and in no gap",
    "lose-a-match": r"missing Counter\(\{",
}


def play_of(name: str, folder: Path, ahead: "Synchronized[float]", bug: str) -> Play:
    # Small pages keep the parent from being read in one go, before its child is looked at.
    limits = {"page_records": 7 if name == "read-a-child-early" else 1_000, "rollover_seconds": 0}
    scenario = Scenario(
        0, 1, 5, "NEW_AND_OLD_IMAGES", "trim-horizon", 1, limits, tuple(STEPS[name])
    )
    return Play(scenario, folder, ahead, bug, patience=5.0)


@pytest.mark.parametrize("bug", STEPS)
def test_the_check_finds(bug: str, tmp_path: Path, ahead: "Synchronized[float]") -> None:
    with pytest.raises(Failed, match=SAYS[bug]):
        play_of(bug, tmp_path, ahead, bug).run()


@pytest.mark.parametrize("name", STEPS)
def test_the_same_scenario_without_the_bug_holds(
    name: str, tmp_path: Path, ahead: "Synchronized[float]"
) -> None:
    play_of(name, tmp_path, ahead, "").run()
