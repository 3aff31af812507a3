"""A search as a file: all of it, exactly, in constant memory, and never cut without a word."""

import csv
import io
import json
import tracemalloc
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client

from dashboard.tests.seeding import Shop, order, text
from streams.models import Stream
from streams.queries.exported import csv_file, ndjson
from streams.queries.search_all import Portion, all_matches
from streams.rules import compile_text

Get = Callable[..., str]

pytestmark = pytest.mark.django_db(transaction=True)

MORE = 10_000


def lines_of(query: str = "", **asked: Any) -> list[dict[str, Any]]:
    written = b"".join(ndjson(all_matches(compile_text(query), **asked)))
    return [json.loads(line) for line in written.splitlines()]


def test_every_match_is_in_it_once_and_the_last_line_says_so(shop: Shop) -> None:
    shop.write_many(1_700)
    Shop("customers").write_many(30)
    shop.remove("gone", order("new"))
    *rows, end = lines_of("changed:status op:MODIFY")
    assert len({row["id"] for row in rows}) == len(rows) == 1_730
    assert end["end"] == {
        "complete": True,
        "changes": 1_730,
        "hidden": 0,
        "searched_to": None,
        "sentence": "Complete: 1,730 changes.",
    }


@pytest.mark.parametrize("oldest_first", [False, True])
def test_its_lines_are_those_of_the_command(
    shop: Shop, capsys: pytest.CaptureFixture[str], oldest_first: bool
) -> None:
    shop.write_many(30)
    order_ = ["--oldest-first"] if oldest_first else []
    call_command("search", "changed:status", "--json", *order_)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines_of("changed:status", oldest_first=oldest_first)[:-1] == printed


def test_numbers_and_odd_texts_stay_as_they_are(shop: Shop) -> None:
    total = "12345678901234567890123456789012345678"
    shop.insert("4711", {"total": {"N": total}, "note": text('a "b"\n\u202e=1+1')})
    row, _ = lines_of()
    assert row["new"]["total"] == {"N": total}
    assert row["new"]["note"] == {"S": 'a "b"\n\u202e=1+1'}
    written = b"".join(csv_file(all_matches(compile_text("")))).decode()
    head, cells, end = list(csv.reader(io.StringIO(written)))
    found = dict(zip(head, cells, strict=True))
    assert json.loads(found["new"]) == row["new"] and total in found["new"]
    assert end[:2] == ["# end", "Complete: 1 change."] and len(end) == len(head)


def test_no_cell_is_a_formula(shop: Shop) -> None:
    for start in ("=", "+", "-", "@", "\t", "\r"):
        name = f"{start}cmd|' /C calc'!A1"
        shop.modify(name, order("new"), {"status": text("new"), name: text(name)})
    written = b"".join(csv_file(all_matches(compile_text("")))).decode()
    cells = [cell for row in csv.reader(io.StringIO(written)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_ignored_fields_are_left_out_and_counted(shop: Shop) -> None:
    Stream.objects.filter(pk=shop.stream.pk).update(ignored_fields=["seen"])
    shop.modify("1", order("new", seen=text("a")), order("new", seen=text("b")))
    shop.modify("2", order("new"), order("paid"))
    row, end = lines_of(hide_noise=True)
    assert row["keys"] == {"pk": {"S": "2"}} and end["end"]["hidden"] == 1
    assert "1 of ignored fields left out" in end["end"]["sentence"]
    assert len(lines_of()) == 3


def test_a_failure_on_the_way_is_the_last_line(shop: Shop) -> None:
    changes = shop.write_many(2)

    def failing() -> Iterator[Portion]:
        yield Portion(changes, changes[0].occurred_at, 0)
        raise OperationalError("the connection is lost")

    *rows, end = [json.loads(line) for line in b"".join(ndjson(failing())).splitlines()]
    assert len(rows) == 2 and end["end"]["complete"] is False
    assert end["end"]["searched_to"] and "the connection is lost" in end["end"]["sentence"]
    *_, last = csv.reader(io.StringIO(b"".join(csv_file(failing())).decode()))
    assert last[1].startswith("NOT complete: 2 changes")


def test_a_leaf_that_is_dropped_meanwhile_ends_nothing(shop: Shop) -> None:
    shop.write_many(1_200)
    portions = all_matches(compile_text(""))
    first = next(portions)
    # Something rewrites the rows: they are elsewhere in the leaf when they are fetched.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE streams_change SET size = size + 1")
    ids = [change.id for portion in [first, *portions] for change in portion.changes]
    assert len(ids) == len(set(ids)) == 1_200


def test_its_memory_does_not_grow_with_its_length(shop: Shop) -> None:
    """Ten times the rows, at most a little more memory."""

    def peak(limit: int) -> tuple[int, int]:
        tracemalloc.start()
        size = found = 0
        for piece in ndjson(all_matches(compile_text(""))):
            size += len(piece)
            found += piece.count(b"\n")
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == limit + 1
        return used, size

    shop.write_many(MORE // 10)
    peak(MORE // 10)  # what is loaded once
    few, _ = peak(MORE // 10)
    shop.write_many(MORE - MORE // 10, first=MORE // 10)
    many, size = peak(MORE)
    assert many < few * 1.5 + 2_000_000
    assert many < size


# Pages


def test_it_says_how_much_it_is_first(page_of: Get, shop: Shop) -> None:
    shop.write_many(12)
    page = page_of("/search/export", q="changed:status", stream="orders", since="2h")
    assert "<b>12</b> changes where status changed, of orders, from 2h." in page
    assert "format=ndjson" in page and "format=csv" in page
    assert "Follow" not in page and "/search/export?q=changed%3Astatus" in page_of(
        "/search", q="changed:status"
    )


def test_what_is_wrong_is_said_and_no_file_sent(page_of: Get, shop: Shop) -> None:
    assert "did you mean" in page_of("/search/export", 400, q="tabel:x", format="csv")
    page_of("/search/export", 404, q="", format="xlsx")
    page_of("/search/export", 404, q="", stream="nowhere", format="csv")


@pytest.mark.browser
def test_the_server_sends_it_piece_by_piece(
    web_server: str, client: Client, alice: User, shop: Shop
) -> None:
    shop.write_many(3_000)
    client.force_login(alice)
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}"
    url = f"{web_server}/search/export?q=changed:status&format=ndjson"
    request = urllib.request.Request(url, headers={"Cookie": cookie})  # noqa: S310 - our server
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        assert response.headers["Content-Type"] == "application/x-ndjson"
        assert response.headers["Content-Disposition"].startswith('attachment; filename="delta')
        assert "Content-Length" not in response.headers
        lines = response.read().splitlines()
    assert len(lines) == 3_001
    assert json.loads(lines[-1])["end"]["complete"] is True
