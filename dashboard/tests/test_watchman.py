"""The watchman: it tells of the end of workers and beat, and leaves the work to beat otherwise."""

import pytest
from django.db import connection

from conftest import wait_for
from dashboard.launch.home import unused_port
from dashboard.tests.conftest import serving
from dashboard.tests.seeding import all_well
from dashboard.watchman import Watchman, stand_in
from streams.models import Alert, Heartbeat
from streams.stages.health import check_health
from streams.tests.integration.storing import alone
from streams.tests.integration.unwell import ago, make_default_rules, wait_longer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def default_rules() -> None:
    make_default_rules()


def last_looked(**span: float) -> None:
    Heartbeat.objects.filter(name="health").update(seen_at=ago(**span))


def nobody_is_left() -> None:
    """Everybody went half a minute ago, and somebody saw it."""
    check_health()
    wait_longer(seconds=40)


def opened() -> set[str]:
    return set(Alert.objects.values_list("rule_name", flat=True))


def test_it_does_nothing_while_somebody_looks() -> None:
    nobody_is_left()
    assert not alone(stand_in)
    assert opened() == set()


def test_it_tells_that_everybody_is_gone() -> None:
    nobody_is_left()
    last_looked(seconds=10)
    assert alone(stand_in)
    assert opened() == {"No worker is reading", "Beat is gone"}


def test_it_says_nothing_when_all_is_well() -> None:
    all_well()
    assert alone(stand_in)
    assert opened() == set()


def test_it_goes_on_when_the_database_was_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    watchman = Watchman(every=0.01)
    watchman.start()
    try:
        wait_for(lambda: caplog.text.count("Health was not checked") > 1)
    finally:
        watchman.stop()


def test_a_web_process_has_one(web_environment: dict[str, str]) -> None:
    nobody_is_left()
    last_looked(seconds=10)
    with serving(web_environment, unused_port(), lifespan="on"):
        wait_for(opened, what="the alerts")
    assert opened() == {"No worker is reading", "Beat is gone"}
