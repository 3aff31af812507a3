"""The overview's rows: order, groups, filter, pins, shards, the countdown, and the gaps below."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.gap_line import WIDTH, gap_line
from dashboard.overview_rows import PER_PAGE, Choice
from dashboard.sparks import HEIGHT, spark
from dashboard.tests.seeding import Shop, all_well
from streams.models import Gap, Problem, Shard, Stream
from streams.queries import glance
from streams.queries.hour import MINUTES, NO_CHANGE, Hour, last_hour, together
from streams.testing.factories import make_shard, make_stream

pytestmark = pytest.mark.django_db

Get = Callable[..., str]
ROW = re.compile(r'<tr tabindex="-1" data-stream="([^"]+)"')


def read(name: str, *, ago: float = 0, shards: int = 1, **fields: object) -> Stream:
    """A stream that was read to its tip so many seconds ago."""
    stream = make_stream(name, **fields)
    at = timezone.now() - timedelta(seconds=ago)
    for _ in range(shards):
        make_shard(stream, last_read_at=at, caught_up_at=at, newest_change_at=at)
    return stream


def names(page: str) -> list[str]:
    return ROW.findall(page)


def test_the_worst_is_first(page_of: Get) -> None:
    all_well()
    read("a-well")
    read("b-stalled", ago=50)
    read("c-behind-more")
    Shard.objects.filter(stream__name="c-behind-more").update(
        caught_up_at=timezone.now() - timedelta(hours=2), newest_change_at=None
    )
    read("d-losing", ago=21 * 3600)
    assert names(page_of("/")) == ["d-losing", "b-stalled", "c-behind-more", "a-well"]
    assert names(page_of("/?sort=name")) == ["a-well", "b-stalled", "c-behind-more", "d-losing"]
    assert names(page_of("/?sort=lag"))[:2] == ["d-losing", "c-behind-more"]
    assert names(page_of("/?sort=nonsense"))[0] == "d-losing"


def test_pinned_streams_stand_above_all(page_of: Get, client: Client) -> None:
    all_well()
    read("a")
    pinned = read("z")
    response = client.post("/overview/pin", {"pin": pinned.pk, "back": "/?sort=name"})
    assert response.headers["Location"] == "/?sort=name"
    assert names(page_of("/?sort=name")) == ["z", "a"]
    client.post("/overview/pin", {"pin": pinned.pk})
    assert names(page_of("/?sort=name")) == ["a", "z"]


@pytest.mark.parametrize("pin", ["", "x", "-1", "9" * 30])
def test_nonsense_pins_nothing(client: Client, bob: User, pin: str) -> None:
    client.force_login(bob)
    response = client.post("/overview/pin", {"pin": pin, "back": "//evil.example"})
    assert response.headers["Location"] == "/"
    client.cookies["deltawatch_pins"] = "x.-1.99999999999999999999.."
    assert client.get("/").status_code == 200


def test_the_filter_looks_at_all_that_names_a_stream(page_of: Get) -> None:
    read("orders", options={"table": "shop-orders", "region": "eu-central-1"})
    read("stock", options={"table": "warehouse", "region": "us-east-1"}, arn="")
    assert names(page_of("/?filter=WAREhouse")) == ["stock"]
    assert names(page_of("/?filter=eu-central shop")) == ["orders"]
    assert names(page_of("/?filter=123456789012")) == ["orders"]
    page = page_of("/?filter=<b>")
    assert names(page) == [] and "No stream matches “&lt;b&gt;”" in page


def test_groups_have_a_heading_and_a_count(page_of: Get) -> None:
    read("a", arn="", options={"table": "t", "region": "us-east-1"})
    read("b")
    read("c")
    page = page_of("/?group=region&sort=name")
    assert page.index("eu-central-1 <small>2") < page.index("us-east-1 <small>1")
    assert names(page) == ["b", "c", "a"]
    assert "unknown <small>1" in page_of("/?group=account")


def test_many_streams_come_in_pages(page_of: Get) -> None:
    for number in range(PER_PAGE + 3):
        make_stream(f"s{number:03}")
    page = page_of("/?sort=name")
    assert len(names(page)) == PER_PAGE and "/?sort=name&amp;page=2" in page
    assert len(names(page_of("/?sort=name&page=2"))) == 3
    assert names(page_of("/?page=99")) == []


def test_more_streams_are_not_more_queries(client: Client, bob: User) -> None:
    all_well()
    client.force_login(bob)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get("/")
        return len(found)

    read("a")
    client.get("/")
    few = queries()
    for number in range(20):
        read(f"s{number}", shards=3)
    assert queries() == few


def test_each_shard_is_a_letter_and_all_are_counted(page_of: Get) -> None:
    all_well()
    stream = read("orders", shards=2)
    now = timezone.now()
    late = now - timedelta(minutes=10)
    make_shard(stream, last_read_at=now, caught_up_at=late)
    make_shard(stream, last_read_at=late, caught_up_at=late)
    parent = make_shard(stream, last_read_at=now, caught_up_at=now, closed=True)
    make_shard(stream, parent=parent)
    letters = glance.shard_letters()[stream.pk]
    assert "".join(letter * count for letter, count in letters.items()) == "BLDWOO"
    page = page_of("/")
    assert "Shards of orders: 5 open, 1 blocked, 1 lagging, 1 draining, 1 waiting" in page
    Stream.objects.update(paused_at=now)
    assert glance.shard_letters()[stream.pk] == {"P": 6}


def test_too_many_shards_are_counted_only(page_of: Get) -> None:
    read("orders", shards=65)
    page = page_of("/")
    assert 'title="65 open">65 open</a>' in page


def test_the_time_left_is_counted_down_after_six_hours(page_of: Get) -> None:
    all_well()
    stream = read("orders", ago=5 * 3600)
    Stream.objects.update(paused_at=timezone.now(), paused_by="alice")
    assert 'class="countdown"' not in page_of("/")
    at = timezone.now() - timedelta(hours=7)
    Shard.objects.update(last_read_at=at, caught_up_at=at, newest_change_at=at)
    assert 'class="rest" width="71"' in page_of("/")
    assert stream.name in page_of("/")


def test_errors_of_the_last_hour_are_linked(page_of: Get) -> None:
    stream = read("orders")
    now = timezone.now()
    for number, hours in enumerate((0, 0, 2)):
        seen = now - timedelta(hours=hours)
        Problem.objects.create(
            stream=stream, fingerprint=f"x{number}", kind="x", first_seen=seen, last_seen=seen
        )
    assert '/problems?stream=orders" aria-label="2 problems' in page_of("/")


def test_one_cause_of_all_is_said_once_on_top(page_of: Get) -> None:
    all_well()
    now = timezone.now()
    for name in ("a", "b"):
        stream = read(name, ago=60)
        Problem.objects.create(
            stream=stream,
            fingerprint=name,
            kind="access-denied",
            sentence="AWS refuses the credentials.",
            fix="Renew them.",
            first_seen=now,
            last_seen=now,
        )
    banner = "All 2 streams stand still for the same reason: AWS refuses the credentials."
    assert banner in page_of("/")
    Problem.objects.filter(fingerprint="a").delete()
    assert banner not in page_of("/")


def test_gaps_of_a_week_are_drawn_and_told(page_of: Get) -> None:
    now = timezone.now()
    stream = read("orders")

    def gap(begin: float | None, end: float, **more: object) -> None:
        from_at = None if begin is None else now - timedelta(days=begin)
        to_at = now - timedelta(days=end)
        Gap.objects.create(stream=stream, reason="trimmed", from_at=from_at, to_at=to_at, **more)

    gap(9, 8)
    gap(1, 0.5, harmless_at=now)
    assert "No gap in the last 7 days." in page_of("/")
    gap(8, 3.5)
    gap(None, 7 - 1e-3)
    gap(0.1, 0, growing=True)
    line = gap_line(glance.gaps_lately())
    assert [mark.growing for mark in line.marks] == [True, False, False]
    assert line.marks[1].x == 0 and abs(line.marks[1].width - WIDTH / 2) < 2
    assert all(0 <= mark.x <= WIDTH - mark.width + 3 for mark in line.marks)
    page = page_of("/")
    assert "3 gaps of 1 stream in the last 7 days." in page
    assert "from an unknown time" in page and "still growing" in page


def test_an_hour_counts_what_is_not_rolled_up_yet(shop: Shop) -> None:
    shop.write_many(7)
    hour = last_hour()[shop.stream.pk]
    assert sum(hour.modifies) == 7 and sum(hour.inserts) == 0
    assert sum(hour.modifies[-2:]) == 7 and len(hour.modifies) == MINUTES
    assert together([NO_CHANGE, hour, hour]).modifies[-1] == 2 * hour.modifies[-1]


def test_a_spark_shows_what_happened_at_all() -> None:
    rest = (0,) * (MINUTES - 2)
    hour = Hour((1000, 0, *rest), (0, 500, *rest), (1, 0, *rest))
    drawn = spark(hour)
    assert [operation for operation, _ in drawn.areas] == ["REMOVE", "MODIFY", "INSERT"]
    assert drawn.areas[2][1] == f"M0 24V0h2V24H{2 * MINUTES}V24z"
    assert drawn.areas[1][1] == f"M0 24V0h2V12h2V24H{2 * MINUTES}V24z"
    assert drawn.summary == "Last hour: 1,501 changes, at most 1,001 a minute."
    assert spark(NO_CHANGE).areas == [] and HEIGHT == 24


def test_a_choice_is_an_address_without_what_goes_without_saying() -> None:
    assert Choice.of({}).url() == "/"
    given = {"filter": " a b ", "sort": "lag", "group": "x", "scale": "shared", "page": "3"}
    assert Choice.of(given).url() == "/?filter=a+b&sort=lag&scale=shared"
    assert Choice.of(given).page == 3 and Choice.of({"page": "-1"}).page == 1


def test_renewing_leaves_the_address_and_choosing_changes_it(client: Client, bob: User) -> None:
    client.force_login(bob)
    path = "/overview/table?filter=x&sort=worst"
    assert "HX-Replace-Url" not in client.get(path).headers
    chosen = client.get(path, headers={"HX-Trigger": "choices"})
    assert chosen.headers["HX-Replace-Url"] == "/?filter=x"


def test_storage_says_how_long_it_is_kept(page_of: Get) -> None:
    read("a", keep_days=None)
    assert "kept for ever" in page_of("/")
    read("b", keep_days=30)
    assert "kept 30 days to for ever" in page_of("/")
    Stream.objects.update(keep_days=30)
    assert "kept 30 days<" in page_of("/")


def test_without_a_stream_it_leads_to_the_first_one(page_of: Get) -> None:
    page = page_of("/")
    assert 'href="/start"' in page and "Load demo data" in page
