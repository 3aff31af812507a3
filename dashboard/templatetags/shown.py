"""How times, sizes and states look on every page."""

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.feed.preview import visible as _visible
from streams.queries.glance import Storage
from streams.queries.retention import spelled_size
from streams.when import iso

register = template.Library()

_TIME = '<time datetime="{}" data-precision="{}"><span class="day">{}</span><span>{}</span></time>'
# A state's mark beside its word, so that it is told apart without colour.
_MARKS = {"ok": "✓", "info": "○", "warn": "▲", "bad": "✕"}


@register.simple_tag
def moment(value: datetime | str | None, precision: str = "seconds") -> SafeString | str:
    """A time in UTC, for scripts to show in the reader's zone; an empty one for them to fill."""
    if value is None:
        return "–"
    if value == "":
        return format_html(_TIME, "", precision, "", "")
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    spelled = iso(value, precision)
    day, _, time = spelled.rstrip("Z").partition("T")
    return format_html(_TIME, spelled, precision, f"{day} ", time)


@register.filter
def visible(text: str) -> str:
    return _visible(text)


@register.filter
def mark(level: str) -> str:
    return _MARKS.get(level, "○")


@register.filter
def duration(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min`, `2 h 5 min`, `3 d`."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours // 24} d"


@register.filter
def grouped(number: float | None) -> str:
    """`118,204`; a number below 10 that is not whole keeps a digit."""
    if number is None:
        return "–"
    return f"{number:,.1f}" if number < 10 and number % 1 else f"{number:,.0f}"


@register.filter
def utc(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@register.filter
def size(count: float) -> str:
    """`812 bytes`, `4.1 kB`, `1.2 GB`."""
    return spelled_size(count)


@register.filter
def kept(storage: Storage) -> str:
    """How long changes are kept, over all streams."""
    fewest, most = storage.fewest_days, storage.most_days
    if fewest is None:
        return ""
    if not fewest:
        return "kept for ever"
    if fewest == most:
        return f"kept {fewest} days"
    return f"kept {fewest} days to {f'{most} days' if most else 'for ever'}"
