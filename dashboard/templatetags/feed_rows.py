"""The cells of the feed's rows, for the live page and for search."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from django import template

from dashboard.views.live_columns import DEFAULT, Column

register = template.Library()


@register.simple_tag
def columns_of(chosen: list[Column] | Literal[""]) -> list[Column]:
    """The chosen columns; those of every row if nothing was chosen."""
    return chosen or DEFAULT


@register.filter
def at(values: Sequence[str | None] | str, place: int) -> str | None:
    """A row's value of a chosen column; None where the change has none."""
    return values[place] if values else None


@register.filter
def lag(received: str, occurred: str) -> str:
    """How long after it happened a change was received: the source rounds down to the second."""
    between = datetime.fromisoformat(received) - datetime.fromisoformat(occurred)
    seconds = max(0, int(between.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"
