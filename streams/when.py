"""Reading a moment as people write it."""

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,6})\s*([smhd])(?:\s+ago)?\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_EPOCH = re.compile(r"\d{10}(\d{3})?\Z")


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment of `2026-11-21T10:00Z`, `2026-11-21 10:00`, epoch seconds or milliseconds, or
    `15m`, `2h`, `1d` ago. A time without a zone is UTC. ValueError says how to write it."""
    text = text.strip()
    if match := _AGO.fullmatch(text):
        # What lies before every calendar is as good as the calendar's first day.
        ago = timedelta(**{_UNITS[match[2]]: int(match[1])})
        return now - min(ago, now - datetime.min.replace(tzinfo=UTC))
    if match := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if match[1] else 1), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no time. Write 2026-11-21T10:00Z, epoch seconds, or 15m, 2h, 1d."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
