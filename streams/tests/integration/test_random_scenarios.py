"""Random scenarios on the simulated service: some on every run of the tests, and as many as are
wanted, in several processes, by `make scenarios SEEDS=5000`."""

import os
from collections.abc import Iterator
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pytest

from streams.testing.scenarios import clocks, crew
from streams.testing.scenarios.plan import scenario_of
from streams.testing.scenarios.play import Play

FIRST = int(os.environ.get("DELTAWATCH_FIRST_SEED", "1"))
SEEDS = int(os.environ.get("DELTAWATCH_SEEDS", "40"))
# The database is flushed between two tests, which takes longer than some scenarios.
_IN_A_TEST = 10

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ahead(transactional_db: None) -> Iterator["Synchronized[float]"]:
    clocks.prepare_database()
    yield crew.seconds_ahead()
    clocks.drop_from_database()


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, _IN_A_TEST))
def test_stored_equals_served_or_a_gap_says_what_is_missing(
    first: int, ahead: "Synchronized[float]", tmp_path: Path
) -> None:
    for seed in range(first, min(first + _IN_A_TEST, FIRST + SEEDS)):
        Play(scenario_of(seed), tmp_path, ahead).run()
