"""The problems, as the page and the API list them: a page at a time, newest first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max, Min, Q, QuerySet

from streams.explanations import DECODE, TABS, explain, kinds_of
from streams.models import Gap, Heartbeat, PoisonRecord, Problem, ProblemEvent, Shard, Stream
from streams.models.problem import in_state
from streams.queries.place import Place

STATES = ("open", "new", "acknowledged", "regressed", "ignored", "resolved", "all")
# Counting stops here.
COUNTED = 1_000
# A gap is written in the same moment as the problem that tells of it, or a little around it.
_AROUND = timedelta(minutes=2)
_MOST_GAPS = 20
_MOST_EVENTS = 100


class Asked(NamedTuple):
    """Which problems: `tab` and `state` as above, a stream or all, and where to go on."""

    tab: str = ""
    state: str = "open"
    stream: Stream | None = None
    before: Place | None = None


@dataclass(frozen=True)
class Listed:
    """One line of the list. `about` is what tells it from others of its kind and stream, such as
    a shard's name; `waiting` its records that are not settled."""

    problem: Problem
    state: str
    about: str
    waiting: int

    @property
    def title(self) -> str:
        return explain(self.problem.kind).title


class Page(NamedTuple):
    rows: list[Listed]
    following: Place | None


def page(asked: Asked, limit: int) -> Page:
    now = _now()
    found = _chosen(asked, now)
    if asked.before:
        at, number = asked.before
        found = found.filter(Q(last_seen__lt=at) | Q(last_seen=at, pk__lt=number))
    found = found.select_related("stream").order_by("-last_seen", "-pk")
    rows = list(found[: limit + 1])
    shown = rows[:limit]
    waiting = _waiting([problem.pk for problem in shown if problem.kind in kinds_of(DECODE)])
    listed = [
        Listed(problem, problem.state_at(now), about(problem), waiting.get(problem.pk, 0))
        for problem in shown
    ]
    last = shown[-1] if len(rows) > limit else None
    return Page(listed, Place(last.last_seen, last.pk) if last else None)


def counts(asked: Asked) -> dict[str, int]:
    """How many problems each tab has in this state and stream, "" being all; at most COUNTED."""
    now = _now()
    tabs = {}
    for tab in ("", *TABS):
        found = _chosen(asked._replace(tab=tab), now).order_by()
        tabs[tab] = len(found.values_list("pk", flat=True)[:COUNTED])
    return tabs


def about(problem: Problem) -> str:
    """What tells it from others of its kind and stream; a shard's number is no name for people."""
    _, _, rest = problem.fingerprint.partition(":")
    text = rest.partition(":")[2]
    return "" if text in ("unread", "lease") or text.isdecimal() else text


@dataclass(frozen=True)
class Watch:
    """Since when there is no open problem (None if there never was one), and when that was looked
    at last. `late` if nobody looks any more, so that "none" proves nothing."""

    since: datetime | None
    checked_at: datetime | None
    late: bool
    seconds: float | None


_LATE = timedelta(seconds=15)


def watch() -> Watch:
    now = _now()
    seen = Heartbeat.objects.filter(name="watch").values_list("seen_at", flat=True).first()
    since = Problem.objects.aggregate(at=Max("resolved_at"))["at"]
    since = since or Stream.objects.aggregate(at=Min("created_at"))["at"]
    age = now - seen if seen else None
    return Watch(
        since, seen, age is None or age > _LATE, None if age is None else age.total_seconds()
    )


def gaps_of(problem: Problem) -> list[Gap]:
    """The gaps that this problem goes with, newest first; at most twenty."""
    reason = explain(problem.kind).gap
    if not reason or problem.stream_id is None:
        return []
    found = Gap.objects.filter(
        stream_id=problem.stream_id,
        reason=reason,
        detected_at__gte=problem.first_seen - _AROUND,
    )
    if reason == Gap.Reason.SKIPPED:
        skipped = problem.records.filter(outcome="skipped")
        found = found.filter(
            shard_id__in=skipped.values("shard_id"), from_sequence__in=skipped.values("sequence")
        )
    else:
        found = found.filter(Q(growing=True) | Q(detected_at__lte=problem.last_seen + _AROUND))
    if name := about(problem):
        found = found.filter(Q(shard__name=name) | Q(shard=None))
    return list(found.select_related("shard").order_by("-detected_at")[:_MOST_GAPS])


def throttled_shards(problem: Problem) -> list[Shard]:
    """The shards of its stream that were throttled, the newest first; at most twenty."""
    if problem.stream_id is None or problem.kind not in ("throttled", "too-many-readers"):
        return []
    found = Shard.objects.filter(stream_id=problem.stream_id, throttled_at__isnull=False)
    return list(found.order_by("-throttled_at")[:_MOST_GAPS])


def timeline(problem: Problem) -> list[ProblemEvent]:
    """What became of it, newest first. The last time it was gone by itself is no event yet."""
    found = list(problem.events.all()[:_MOST_EVENTS])
    if problem.resolved_at and not problem.resolved_by:
        what = ProblemEvent.What.RESOLVED
        found.insert(0, ProblemEvent(problem=problem, at=problem.resolved_at, what=what))
    return found


def records_of(
    problem: Problem, before: int | None, limit: int
) -> tuple[list[PoisonRecord], int | None]:
    """A page of its records, the newest first, and where to go on."""
    found = problem.records.select_related("shard__stream").order_by("-pk")
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found[: limit + 1])
    return rows[:limit], rows[limit - 1].pk if len(rows) > limit else None


def find(number: int) -> tuple[Problem, str] | None:
    """A problem and its state."""
    problem = Problem.objects.select_related("stream").filter(pk=number).first()
    return (problem, problem.state_at(_now())) if problem else None


def spelled(row: Listed) -> dict[str, Any]:
    """A problem as the API shows it."""
    problem, explanation = row.problem, explain(row.problem.kind)
    return {
        "id": problem.pk,
        "kind": problem.kind,
        "title": explanation.title,
        "tab": explanation.tab,
        "stream": problem.stream.name if problem.stream else None,
        "about": row.about,
        "state": row.state,
        "sentence": problem.sentence,
        "fix": problem.fix,
        "next": explanation.next,
        "first_seen": problem.first_seen,
        "last_seen": problem.last_seen,
        "count": problem.count,
        "open_records": row.waiting,
        "assignee": problem.assignee,
        "resolved_at": problem.resolved_at,
    }


def _chosen(asked: Asked, now: datetime) -> QuerySet[Problem]:
    found = Problem.objects.all()
    if asked.state != "all":
        found = found.filter(in_state(asked.state, now))
    if asked.stream:
        found = found.filter(stream=asked.stream)
    if asked.tab:
        found = found.filter(kind__in=kinds_of(asked.tab))
    return found


def waiting(number: int) -> int:
    """Open records of a problem, counted up to COUNTED."""
    return _waiting([number]).get(number, 0)


def _waiting(ids: list[int]) -> dict[int, int]:
    """Open records of each problem, counted up to COUNTED."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.id, count(r.id) FROM unnest(%s::bigint[]) p(id), LATERAL (
                   SELECT id FROM streams_poisonrecord
                   WHERE problem_id = p.id AND outcome = ''
                   -- so that the index is read from the problem's first record, however many others
                   -- there are
                   ORDER BY problem_id, id LIMIT %s) r GROUP BY p.id""",
            [ids, COUNTED],
        )
        return dict(cursor.fetchall())


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
