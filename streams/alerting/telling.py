"""When people are told of an alert: at once or in a digest, again until somebody looks after it,
and then somebody else. Never in a mute or a maintenance window; then as soon as it is over, if the
alert is still open and nobody has acknowledged it.

Plain Python without a clock: every moment is given, and what comes back is what to send now and
when to look again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from streams.alerting.calendar import Window, covering

OPEN, ACKNOWLEDGED, RESOLVED = "open", "acknowledged", "resolved"
# What is sent, as Delivery.Reason names it.
TELL_OPENED, TELL_DIGEST, TELL_REPEAT = "opened", "digest", "repeat"
TELL_ESCALATION, TELL_RESOLVED = "escalation", "resolved"

# The notice before a mute ends: early enough to make it longer, but not at once for a short one.
NOTICE = timedelta(minutes=15)
_NOTICE_PART = 4
# Windows and mutes that follow each other are looked through so often, and then waited for.
_MOST_LINKS = 100


class Terms(NamedTuple):
    """What a rule says about telling, in seconds; 0 is never."""

    digest: int = 0
    repeat: int = 0
    escalate: int = 0


class Times(NamedTuple):
    """When time alone makes something be sent; None for never. `digest_at` is when an alert is told
    of that was not told at once."""

    digest_at: datetime | None = None
    repeat_at: datetime | None = None
    escalate_at: datetime | None = None


class Silence(NamedTuple):
    """A mute that is not over: nothing is sent before `until`."""

    until: datetime
    why: str


class Quiet(NamedTuple):
    """Nothing is sent now, for this reason; something may be from `until` on."""

    until: datetime
    why: str


class Plan(NamedTuple):
    """What to send now ("" for nothing), the alert's times from now on, and why it is quiet."""

    send: str
    times: Times
    quiet: Quiet | None = None


def quiet_at(
    now: datetime, silences: Iterable[Silence] = (), windows: Iterable[Window] = ()
) -> Quiet | None:
    """Whether anything keeps quiet now, and until when altogether."""
    silences, windows = list(silences), list(windows)
    moment, why = now, ""
    for _ in range(_MOST_LINKS):
        found = [(s.until, s.why) for s in silences if s.until > moment]
        found += [
            (span.end, f"the maintenance window {window.name}")
            for window in windows
            if (span := covering(window, moment))
        ]
        if not found:
            break
        moment, reason = max(found)
        why = why or reason
    return Quiet(moment, why) if moment > now else None


def opened(
    terms: Terms, now: datetime, quiet: Quiet | None = None, running: datetime | None = None
) -> Plan:
    """An alert opened. `running` is when the digest is sent that its rule collects for already."""
    if quiet:
        return Plan("", Times(digest_at=quiet.until), quiet)
    if terms.digest:
        return Plan("", Times(digest_at=_digest_at(terms, now, running)))
    return Plan(TELL_OPENED, _from_now_on(terms, now))


def due(terms: Terms, state: str, times: Times, now: datetime, quiet: Quiet | None = None) -> Plan:
    """Time has passed. One thing is sent at a time; the first telling comes before a repeat, and an
    escalation too."""
    times = settled(terms, state, times)
    if not _is_due(times, now):
        return Plan("", times)
    if quiet:
        late = (quiet.until if at and at <= now else at for at in times)
        return Plan("", Times(*late), quiet)
    if _past(times.digest_at, now):
        told = _from_now_on(terms, now) if state == OPEN else Times()
        return Plan(TELL_DIGEST if terms.digest else TELL_OPENED, told)
    repeat_at = now + timedelta(seconds=terms.repeat) if terms.repeat else None
    if _past(times.escalate_at, now):
        # Those who were told before are told again with it, so the repeat begins anew.
        return Plan(TELL_ESCALATION, Times(None, repeat_at, None))
    return Plan(TELL_REPEAT, times._replace(repeat_at=repeat_at))


def settled(terms: Terms, state: str, times: Times) -> Times:
    """The times that still mean something to an alert in this state: somebody who looks after it
    stops repeats and the escalation, and what was quiet while it was open is not told when it is
    over. A digest tells what happened in its time, also of what is over by then."""
    if state == OPEN:
        return times
    return Times(digest_at=times.digest_at if terms.digest else None)


def resolved(
    terms: Terms,
    times: Times,
    now: datetime,
    *,
    told: bool,
    quiet: Quiet | None = None,
    running: datetime | None = None,
) -> Plan:
    """An alert is over. Whoever was told that it opened (`told`) is told so, in the next digest if
    its rule has one; in quiet times nobody is."""
    if times.digest_at:
        return Plan("", settled(terms, RESOLVED, times))
    if not told:
        return Plan("", Times())
    if quiet:
        return Plan("", Times(), quiet)
    if terms.digest:
        return Plan("", Times(digest_at=_digest_at(terms, now, running)))
    return Plan(TELL_RESOLVED, Times())


def notice_at(begun: datetime, until: datetime) -> datetime:
    """When it is told that a mute ends soon."""
    return until - min(NOTICE, (until - begun) / _NOTICE_PART)


def _from_now_on(terms: Terms, now: datetime) -> Times:
    """The times of an open alert that is told of now."""
    return Times(
        repeat_at=now + timedelta(seconds=terms.repeat) if terms.repeat else None,
        escalate_at=now + timedelta(seconds=terms.escalate) if terms.escalate else None,
    )


def _digest_at(terms: Terms, now: datetime, running: datetime | None) -> datetime:
    at = now + timedelta(seconds=terms.digest)
    return min(at, running) if running and running > now else at


def _is_due(times: Times, now: datetime) -> bool:
    return any(_past(at, now) for at in times)


def _past(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
