"""A moment in words: reading it as people write it, and spelling it for people and for programs.
Plain Python."""

import re
from datetime import UTC, datetime, time, timedelta

_AGO = re.compile(r"(\d{1,6})\s*([smhd])(?:\s+ago)?\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_EPOCH = re.compile(r"\d{10}(\d{3})?\Z")
_DAY = re.compile(
    r"(today|yesterday)(?:\s+(?:at\s+)?(\d{1,2}):(\d\d)(?::(\d\d))?)?\Z", re.IGNORECASE
)


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment of `2026-11-21T10:00Z`, `2026-11-21 10:00`, epoch seconds or milliseconds, `15m`,
    `2h`, `1d` ago, `now`, or `yesterday 14:00`. A time without a zone is UTC. ValueError says how
    to write it."""
    text = text.strip()
    if text.lower() == "now":
        return now
    if match := _AGO.fullmatch(text):
        # What lies before every calendar is as good as the calendar's first day.
        ago = timedelta(**{_UNITS[match[2]]: int(match[1])})
        return now - min(ago, now - datetime.min.replace(tzinfo=UTC))
    if match := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if match[1] else 1), UTC)
    try:
        moment = _of_a_day(text, now) or datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no time. Write 2026-11-21T10:00Z, epoch seconds, or 15m, 2h, 1d."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _of_a_day(text: str, now: datetime) -> datetime | None:
    """`today 9:30` and `yesterday`, which begins at midnight (UTC); None for another text."""
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    day = now.astimezone(UTC).date() - timedelta(days=match[1].lower() == "yesterday")
    hour, minute, second = (int(part or 0) for part in match.group(2, 3, 4))
    return datetime.combine(day, time(hour, minute, second), UTC)


def spell_moment(moment: datetime) -> str:
    """`2026-11-21 10:02:03 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def iso(moment: datetime, precision: str = "seconds") -> str:
    """`2026-11-21T10:02:03Z`, as `<time datetime>`, addresses and JavaScript read it."""
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
