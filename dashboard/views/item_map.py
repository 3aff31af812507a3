"""The small map of an item's whole life: how dense its versions are, where gaps lie, which part the
page shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from dashboard.charts import Stacked, stacked
from streams.models import Gap
from streams.queries.history import Versions
from streams.queries.life import Life

_WIDTH, _HEIGHT = 960, 44


class Band(NamedTuple):
    """A stretch of the map, in its units."""

    x: float
    width: float


class LifeMap(NamedTuple):
    """`chart` is the density; `gaps` and `shown` lie over it."""

    life: Life
    chart: Stacked
    gaps: list[Band]
    shown: Band


def life_map(life: Life | None, gaps: Sequence[Gap], page: Versions) -> LifeMap | None:
    """None for an item without versions."""
    if life is None or not page.versions:
        return None
    newest, oldest = page.versions[0].change, page.versions[-1].change
    return LifeMap(
        life=life,
        chart=stacked(life.bins, width=_WIDTH, height=_HEIGHT),
        gaps=[
            _band(life, gap.from_at or life.begin, gap.to_at)
            for gap in gaps
            if gap.to_at >= life.begin and (gap.from_at or life.begin) <= life.end
        ],
        shown=_band(life, oldest.occurred_at, newest.occurred_at),
    )


def _band(life: Life, begin: datetime, end: datetime) -> Band:
    """At least as wide as a bin, so that it can be seen."""
    least = _WIDTH / len(life.bins)
    left = min(_place(life, begin), _WIDTH - least)
    return Band(round(left, 1), round(max(_place(life, end) - left, least), 1))


def _place(life: Life, moment: datetime) -> float:
    whole = (life.end - life.begin).total_seconds() or 1.0
    share = (moment - life.begin).total_seconds() / whole
    return _WIDTH * min(max(share, 0.0), 1.0)
