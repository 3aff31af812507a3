"""Handle: what people do about a problem. Each deed is a row of the problem's timeline.

What the next sighting makes of it is in stages/report.py. A deed that changes nothing (somebody
was quicker) writes nothing and says so.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from streams.errors import DeltawatchError
from streams.models import Problem, ProblemEvent

What = ProblemEvent.What


class NotResolvable(DeltawatchError):
    """A problem that ends another way; the text says how."""


def acknowledge(ids: Collection[int], who: str, note: str = "", assignee: str = "") -> int:
    """Somebody looks after these problems: `assignee`, or else who says so. Returns how many were
    open and not acknowledged, or get another assignee."""
    with transaction.atomic():
        now, rows = _lock(ids)
        done = 0
        for problem in rows:
            person = assignee or who
            if problem.resolved_at or (problem.acknowledged_at and problem.assignee == person):
                continue
            problem.acknowledged_at, problem.assignee = now, person
            problem.ignored_until = problem.ignored_count = None
            problem.save(
                update_fields=["acknowledged_at", "assignee", "ignored_until", "ignored_count"]
            )
            said = note if person == who else f"Assigned to {person}. {note}".strip()
            _tell(problem, now, who, What.ACKNOWLEDGED, said)
            done += 1
    return done


def resolve_by_hand(ids: Collection[int], who: str, note: str = "") -> int:
    """Say that these are over; if one is seen again, it has regressed. Returns how many were
    open. NotResolvable if one still has records that wait to be settled."""
    with transaction.atomic():
        now, rows = _lock(ids)
        opened = [problem for problem in rows if problem.resolved_at is None]
        for problem in opened:
            if problem.records.filter(outcome="").exists():
                raise NotResolvable(
                    "Its records wait to be retried or skipped: it is resolved with the last of "
                    "them."
                )
            _resolve(problem, now, who, note)
    return len(opened)


def ignore(
    ids: Collection[int],
    who: str,
    note: str = "",
    *,
    span: timedelta | None = None,
    sightings: int | None = None,
) -> int:
    """Ignore these for a time, or for so many more sightings, whichever is over first; one of the
    two is needed. Returns how many were open."""
    if span is None and sightings is None:
        raise ValueError("until when?")
    with transaction.atomic():
        now, rows = _lock(ids)
        opened = [problem for problem in rows if problem.resolved_at is None]
        for problem in opened:
            problem.ignored_until = now + span if span else None
            problem.ignored_count = problem.count + sightings if sightings else None
            problem.save(update_fields=["ignored_until", "ignored_count"])
            said = _until(problem, sightings)
            _tell(problem, now, who, What.IGNORED, f"{said} {note}".strip())
    return len(opened)


def reopen(ids: Collection[int], who: str, note: str = "") -> int:
    """Take back an acknowledgement, an ignoring or a resolving by hand. Returns how many."""
    with transaction.atomic():
        now, rows = _lock(ids)
        done = 0
        for problem in rows:
            if problem.state_at(now) in ("new", "regressed"):
                continue
            if problem.resolved_at and not problem.resolved_by:
                continue  # its cause is gone: nobody can take that back
            problem.acknowledged_at = problem.resolved_at = None
            problem.ignored_until = problem.ignored_count = None
            problem.assignee = problem.resolved_by = ""
            problem.save()
            _tell(problem, now, who, What.REOPENED, note)
            done += 1
    return done


def note_settled(problem: Problem, who: str) -> None:
    """The last of a problem's records was settled (stages/settle.py holds its row)."""
    _resolve(problem, _now(), who, "Its last record was stored or skipped.")


def _resolve(problem: Problem, now: datetime, who: str, note: str) -> None:
    problem.resolved_at, problem.resolved_by = now, who
    problem.ignored_until = problem.ignored_count = None
    problem.save(update_fields=["resolved_at", "resolved_by", "ignored_until", "ignored_count"])
    _tell(problem, now, who, What.RESOLVED, note)


def _lock(ids: Collection[int]) -> tuple[datetime, list[Problem]]:
    """In one order, so that two who handle the same problems wait for each other."""
    rows = Problem.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    found = list(rows)
    return _now(), found


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _until(problem: Problem, sightings: int | None) -> str:
    parts = []
    if problem.ignored_until:
        parts.append(f"until {problem.ignored_until:%Y-%m-%d %H:%M} UTC")
    if sightings:
        parts.append(f"for the next {sightings:,} sightings")
    said = " or ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def _tell(problem: Problem, at: datetime, who: str, what: Any, note: str) -> None:
    ProblemEvent.objects.create(problem=problem, at=at, who=who, what=what, note=note)
