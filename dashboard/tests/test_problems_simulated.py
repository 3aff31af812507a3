"""Problems that the engine really meets on the simulated service, as their pages tell them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from streams.models import Gap, PoisonRecord, Problem
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import TABLE, Engine, engine_on, write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def world() -> World:
    world = World()
    world.create_table(TABLE)
    return world


def page_once(admin: Client, engine: Engine, kind: str) -> str:
    """The page of the first problem of that kind, once it is there."""
    found = Problem.objects.filter(kind=kind)
    engine.run_until(found.exists)
    return admin.get(f"/problems/{found[0].pk}").content.decode()


def test_a_refused_read_names_what_is_missing(admin: Client, world: World) -> None:
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("denied", ("GetRecords",)))
        page = page_once(admin, engine, "access-denied")
        arn = engine.stream.arn
        assert f"<code>dynamodb:GetRecords</code> on <code><bdi>{arn}</bdi>" in page
        assert f"{arn.rpartition('/stream/')[0]}/stream/*" in page
        engine.service.faults.clear()
        write(world, 3)
        engine.read_all()
    page = admin.get("/problems?state=resolved").content.decode()
    assert "Access denied" in page


def test_throttling_shows_how_much(admin: Client, world: World) -> None:
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("throttled", ("GetRecords",), probability=0.6))
        page = page_once(admin, engine, "throttled")
    assert "Reading is throttled" in page and "% refused" in page


def test_a_broken_record_is_shown_and_skipped(admin: Client, world: World) -> None:
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("poison", poison="no-keys", most=1))
        write(world, 3)
        page = page_once(admin, engine, "poison-record")
        engine.read_all()
    record = PoisonRecord.objects.get()
    assert "&quot;eventName&quot;" in page and record.sequence in page
    given = {"reason": "made by a test"}
    path = f"/problems/records/{record.pk}/skip"
    assert "there is a gap for it now" in admin.post(path, given, follow=True).content.decode()
    gap = Gap.objects.get()
    assert (gap.from_sequence, gap.note) == (record.sequence, "made by a test")
