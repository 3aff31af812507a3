"""The problems: the list, one of them, and what may be done, as the server makes the pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from streams.explanations import EXPLANATIONS
from streams.models import Gap, Heartbeat, PoisonRecord, Problem, ProblemEvent, Stream
from streams.stages import copy_change
from streams.stages.report import report, resolve
from streams.stages.store import Poison
from streams.stages.watch import watch
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in, stored_in

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]
EVIL = '<b onclick="x">\u202eevil'


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def stream() -> Stream:
    return make_stream("orders")


@pytest.fixture
def records(stream: Stream) -> list[PoisonRecord]:
    """One that can be read by now, and one that cannot."""
    shard = make_shard(stream, "shard-1")
    sound = copy_change.raw(make_change(stream.pk, 1))
    broken = Poison("2".zfill(21), b'{"eventName": "<b>UPSERT</b>", "x": "\xff"}', "no operation")
    store_in(shard, poison=[Poison("1".zfill(21), sound, "too new"), broken])
    return list(PoisonRecord.objects.order_by("pk"))


def post(client: Client, path: str, status: int = 200, **given: Any) -> str:
    response = client.post(path, given, follow=True)
    assert response.status_code == status
    return response.content.decode()


def handle(client: Client, problem: int, deed: str, **given: Any) -> str:
    given |= {"problem": problem, "deed": deed, "next": f"/problems/{problem}"}
    return post(client, "/problems/handle", **given)


def test_without_a_problem_it_proves_that_somebody_looks(page_of: Get, stream: Stream) -> None:
    page = page_of("/problems")
    assert "Nobody looks for problems" in page and "proves nothing" in page
    watch()
    page = page_of("/problems")
    assert "No open problems since" in page and "Last check 0.0 s ago" in page
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    assert "The last check was 5 min ago" in page_of("/problems")


def test_a_line_tells_all_of_a_problem(page_of: Get, stream: Stream) -> None:
    for _ in range(3):
        report("trimmed", f"Gone {EVIL}.", stream=stream, about="shard-1")
    page = page_of("/problems")
    assert "Records were deleted before they were read" in page
    assert "Gone &lt;b onclick=&quot;x&quot;&gt;⟨U+202E⟩evil." in page
    assert ">3</td>" in page and "shard-1" in page and "New</span>" in page


def test_tabs_and_filters_choose(page_of: Get, stream: Stream, records: object) -> None:
    report("unreachable", "It is away.", stream=stream)
    report("crash", "It crashed.", stream=make_stream("stock"))
    assert "It is away." in page_of("/problems?tab=ingest")
    assert "It is away." not in page_of("/problems?tab=decode")
    assert "cannot be read: no operation" in page_of("/problems?tab=decode")
    assert "It crashed." in page_of("/problems?tab=system&stream=stock")
    assert "No problem matches" in page_of("/problems?tab=system&stream=orders")
    resolve(stream=stream)
    assert "It is away." not in page_of("/problems")
    assert "It is away." in page_of("/problems?state=resolved")
    assert "It is away." in page_of("/problems?state=all")


@pytest.mark.parametrize("query", ["tab=x", "state=x", "stream=nope", "before=x", "before=~1"])
def test_what_there_is_not_is_not_found(page_of: Get, query: str) -> None:
    page_of(f"/problems?{query}", status=404)


def test_the_list_is_paged(page_of: Get, stream: Stream) -> None:
    for number in range(51):
        report("trimmed", f"Sentence {number}.", stream=stream, about=f"shard-{number}")
    page = page_of("/problems")
    assert page.count("data-row") == 50 and "Sentence 0." not in page
    address = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    page = page_of(address)
    assert page.count("data-row") == 1 and "Sentence 0." in page and 'rel="next"' not in page


@pytest.mark.parametrize("kind", sorted(EXPLANATIONS))
def test_every_kind_has_a_page(page_of: Get, stream: Stream, kind: str) -> None:
    page = page_of(f"/problems/{report(kind, 'It happened.', 'Mend it.', stream=stream)}")
    explanation = EXPLANATIONS[kind]
    assert escape(explanation.title) in page and escape(explanation.next) in page
    assert "It happened." in page and "Mend it." in page


def test_a_problem_of_no_stream_has_a_page(page_of: Get) -> None:
    assert "It happened." in page_of(f"/problems/{report('unknown-kind', 'It happened.')}")


def test_a_refusal_names_the_action_the_arn_and_the_policy(page_of: Get, stream: Stream) -> None:
    arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/1"
    said = f"User: x is not authorized to perform: dynamodb:GetRecords on resource: {arn} because"
    page = page_of(f"/problems/{report('access-denied', said, stream=stream)}")
    assert "Missing: <code>dynamodb:GetRecords</code>" in page and f"<bdi>{arn}</bdi>" in page
    table = stream.options["table"]
    assert f"dynamodb:eu-central-1:123456789012:table/{table}/stream/*" in page


def test_throttling_shows_the_rates(page_of: Get, stream: Stream) -> None:
    make_shard(stream, "shard-7", throttled_at=timezone.now(), throttled_percent=45)
    page = page_of(f"/problems/{report('throttled', 'Slow down.', stream=stream)}")
    assert "shard-7" in page and "45 % refused" in page and "four times a second" in page


def test_a_loss_shows_its_gap(page_of: Get, stream: Stream) -> None:
    shard, now = make_shard(stream, "shard-1"), timezone.now()
    for name, reason in (("mine", "trimmed"), ("other", "unread")):
        Gap.objects.create(stream=stream, shard=shard, reason=reason, to_at=now, note=name)
    page = page_of(f"/problems/{report('trimmed', 'x', stream=stream, about='shard-1')}")
    assert "mine" in page and "other" not in page


def test_an_unknown_problem_is_not_found(page_of: Get) -> None:
    page_of("/problems/4711", status=404)


def test_acknowledging_leaves_its_mark(admin: Client, bob: User, stream: Stream) -> None:
    problem = report("trimmed", "x", stream=stream)
    page = handle(admin, problem, "acknowledge", note="I look", assignee="bob")
    assert "Acknowledged: 1." in page and "Assigned to bob. I look" in page
    assert "by <bdi>alice</bdi>" in page
    assert "had been handled before" in handle(admin, problem, "acknowledge", assignee="bob")
    assert "Opened again: 1." in handle(admin, problem, "reopen")
    assert "There is no user" in handle(admin, problem, "acknowledge", assignee="nobody")


def test_ignoring_needs_an_end(admin: Client, stream: Stream) -> None:
    problem = report("trimmed", "x", stream=stream)
    assert "Say for how long" in handle(admin, problem, "ignore")
    page = handle(admin, problem, "ignore", sightings="5")
    assert "until it has been seen 6 times" in page
    assert "Ignored: 1." in handle(admin, problem, "ignore", span="7d")
    listed = admin.get("/problems?state=ignored").content.decode()
    assert "Ignored until" in listed


def test_many_are_acknowledged_together(admin: Client, stream: Stream) -> None:
    ids = [report("trimmed", "x", stream=stream, about=str(n)) for n in range(3)]
    given: dict[str, Any] = {
        "problem": ids[:2],
        "deed": "acknowledge",
        "note": "all of them",
        "next": "/problems",
    }
    assert "Acknowledged: 2." in post(admin, "/problems/handle", **given)
    assert ProblemEvent.objects.filter(note="all of them").count() == 2
    assert "Choose a problem first." in post(admin, "/problems/handle", deed="resolve")


def test_what_is_resolved_by_hand_comes_back_as_regressed(admin: Client, stream: Stream) -> None:
    problem = report("trimmed", "x", stream=stream)
    assert "Resolved: 1." in handle(admin, problem, "resolve")
    report("trimmed", "x", stream=stream)
    page = admin.get(f"/problems/{problem}").content.decode()
    assert "Regressed</span>" in page and "Seen again" in page


@pytest.mark.parametrize("after", ["https://elsewhere.test/", "//elsewhere.test", ""])
def test_nobody_is_sent_elsewhere(admin: Client, stream: Stream, after: str) -> None:
    given = {"problem": report("trimmed", "x", stream=stream), "deed": "resolve", "next": after}
    assert admin.post("/problems/handle", given)["Location"] == "/problems"


def test_records_show_their_bytes(admin: Client, records: list[PoisonRecord]) -> None:
    page = admin.get(f"/problems/{records[0].problem_id}").content.decode()
    assert "&lt;b&gt;UPSERT&lt;/b&gt;" in page and "\\xff" in page
    assert "000000  7b 22 65 76 65 6e 74 4e" in page and "no operation" in page
    raw = admin.get(f"/problems/records/{records[1].pk}/raw")
    assert raw.content == bytes(records[1].raw) and "attachment" in raw["Content-Disposition"]


def test_a_record_is_retried(admin: Client, records: list[PoisonRecord]) -> None:
    assert "Stored: its change" in post(admin, f"/problems/records/{records[0].pk}/retry")
    assert len(stored_in(records[0].shard.stream)) == 1
    page = post(admin, f"/problems/records/{records[1].pk}/retry", status=400)
    assert "Still open: The record cannot be parsed" in page
    assert "settled before" in post(admin, f"/problems/records/{records[0].pk}/retry")


def test_a_record_is_skipped_only_with_a_reason(admin: Client, records: list[PoisonRecord]) -> None:
    path = f"/problems/records/{records[1].pk}/skip"
    page = post(admin, path, status=400, reason=" ")
    assert "say why" in page and 'aria-invalid="true"' in page
    page = post(admin, path, reason="a test record")
    assert "there is a gap for it now" in page
    assert "An operator skipped a record that could not be read: <bdi>a test record" in page
    assert Gap.objects.get().note == "a test record"


def test_all_are_retried_after_a_count(admin: Client, records: list[PoisonRecord]) -> None:
    problem = records[0].problem_id
    page = admin.get(f"/problems/{problem}/retry").content.decode()
    assert "Would be stored</dt><dd>1</dd>" in page
    assert "Would stay open</dt><dd>1</dd>" in page and "cannot be parsed" in page
    assert PoisonRecord.objects.filter(outcome="").count() == 2
    assert not stored_in(records[0].shard.stream)
    assert "Stored: 1. Still open: 1." in post(admin, f"/problems/{problem}/retry")
    post(admin, f"/problems/records/{records[1].pk}/skip", reason="x")
    assert "No record is open" in admin.get(f"/problems/{problem}/retry").content.decode()
    assert Problem.objects.get(pk=problem).resolved_by == "alice"


def test_who_may_only_look_is_told_what_to_ask_for(
    client: Client, bob: User, records: list[PoisonRecord]
) -> None:
    client.force_login(bob)
    problem, record = records[0].problem_id, records[0].pk
    page = client.get(f"/problems/{problem}").content.decode()
    assert "streams.change_problem" in page and "streams.change_poisonrecord" in page
    assert '<button type="submit" name="deed"' not in page
    post(client, "/problems/handle", status=403, problem=problem, deed="resolve")
    post(client, f"/problems/records/{record}/retry", status=403)
    post(client, f"/problems/records/{record}/skip", status=403, reason="x")
    assert client.get(f"/problems/{problem}/retry").status_code == 403
    assert client.get(f"/problems/records/{record}/raw").status_code == 403
    bob.user_permissions.add(Permission.objects.get(codename="change_problem"))
    assert "Resolved" not in handle(client, problem, "resolve")


def test_the_api_lists_problems(client: Client, bob: User, stream: Stream) -> None:
    assert client.get("/api/v1/problems").status_code == 401
    client.force_login(bob)
    ids = [report("trimmed", "x", stream=stream, about=str(n)) for n in range(3)]
    answer = client.get("/api/v1/problems?limit=2").json()
    assert [row["id"] for row in answer["problems"]] == [ids[2], ids[1]]
    assert answer["problems"][0]["state"] == "new" and answer["checking"] is False
    rest = client.get("/api/v1/problems", {"before": answer["before"]}).json()
    assert [row["id"] for row in rest["problems"]] == [ids[0]] and rest["before"] is None
    assert client.get("/api/v1/problems?limit=0").json()["error"]["code"] == "bad-request"
    assert client.get("/api/v1/problems?state=x").status_code == 404


def test_the_pages_make_few_queries(
    admin: Client, stream: Stream, django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        report("trimmed", "x", stream=stream, about=str(number))
    with django_assert_max_num_queries(20):
        admin.get("/problems")
    with django_assert_max_num_queries(25):
        admin.get(f"/problems/{Problem.objects.first().pk}")  # type: ignore[union-attr]
