"""The geometry of charts, and the words that say what they show."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts import Bin, line, stacked
from streams.change import INSERT, MODIFY, OPERATIONS, REMOVE

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
counted = st.dictionaries(st.sampled_from(OPERATIONS), st.integers(0, 10**9))


def bins(*counts: dict[str, int]) -> list[Bin]:
    return [Bin(START + timedelta(minutes=n), given_) for n, given_ in enumerate(counts)]


def test_bars_stand_on_each_other_insert_lowest() -> None:
    chart = stacked(bins({INSERT: 1, MODIFY: 2, REMOVE: 1}), width=10, height=40)
    assert [(bar.operation, bar.y, bar.height) for bar in chart.bars] == [
        (INSERT, 30, 10),
        (MODIFY, 10, 20),
        (REMOVE, 0, 10),
    ]


def test_bins_share_the_width() -> None:
    chart = stacked(bins({INSERT: 1}, {}, {INSERT: 1}), width=30, height=40)
    assert [(bar.x, bar.width) for bar in chart.bars] == [(0, 9), (20, 9)]


def test_one_remove_among_thousands_is_seen() -> None:
    chart = stacked(bins({MODIFY: 100_000, REMOVE: 1}), height=80)
    heights = {bar.operation: bar.height for bar in chart.bars}
    assert heights == {MODIFY: 79, REMOVE: 1}


def test_a_shared_scale_makes_charts_comparable() -> None:
    chart = stacked(bins({INSERT: 10}), height=80, highest=40)
    assert (chart.highest, chart.bars[0].height) == (40, 20)


def test_a_bin_above_the_scale_is_cut_off() -> None:
    assert stacked(bins({INSERT: 100}), height=80, highest=10).bars[0].height == 80


@given(st.lists(counted, max_size=200), st.integers(1, 2000), st.integers(3, 400))
def test_bars_lie_inside_the_box_and_never_over_each_other(
    counts: list[dict[str, int]], width: int, height: int
) -> None:
    chart = stacked(bins(*counts), width=width, height=height)
    floors: dict[datetime, float] = {}
    for bar in chart.bars:
        assert bar.x >= 0 and bar.x + bar.width <= width + 0.02
        # but for the rounding to tenths
        assert bar.y >= 0 and bar.y + bar.height <= height + 0.1
        assert bar.height >= 1 and bar.width > 0
        assert bar.y + bar.height <= floors.get(bar.bin.start, height) + 0.15
        floors[bar.bin.start] = bar.y


@given(st.lists(counted, max_size=50))
def test_no_change_is_lost_on_the_way_to_the_picture(counts: list[dict[str, int]]) -> None:
    chart = stacked(bins(*counts))
    assert chart.total == sum(sum(given_.values()) for given_ in counts)
    assert sum(bar.bin.counts[bar.operation] for bar in chart.bars) == chart.total
    assert chart.empty == (chart.total == 0)


@given(st.lists(st.none() | st.floats(0, 1e12), max_size=200), st.none() | st.floats(0, 1e6))
def test_a_line_lies_inside_the_box_and_breaks_where_nothing_is_known(
    points: list[float | None], highest: float | None
) -> None:
    drawn = line(points, width=300, height=40, highest=highest)
    known = sum(point is not None for point in points)
    pairs = [pair.split(",") for segment in drawn.segments for pair in segment.split(" ")]
    assert all(0 <= float(x) <= 300 and 0 <= float(y) <= 40 for x, y in pairs)
    assert len({x for x, _ in pairs}) == known
    alone = re.findall("(?=(^|n)k(n|$))", "".join("n" if p is None else "k" for p in points))
    assert len(pairs) == known + len(alone)


def test_a_single_value_is_a_dot() -> None:
    assert line([None, 5.0, None], width=30, height=10).segments == ["15,0 15,0"]


def test_the_summary_says_what_the_picture_shows() -> None:
    chart = stacked(bins({INSERT: 1, MODIFY: 1200}, {}, {REMOVE: 3}))
    assert chart.summary == (
        "1,204 changes (1 INSERT, 1,200 MODIFY, 3 REMOVE) in 3 bars of 1 min: "
        "0 to 1,201 a bar, 3 in the last."
    )
    assert stacked(bins({}, {})).summary == stacked([]).summary == "No changes."
    assert line([0.5, None, 12.25], unit="s").summary == "0.5 s to 12.2 s, at last 12.2 s."
    assert line([None]).summary == "No values."


@pytest.mark.parametrize("name", ["_stacked", "_line"])
def test_a_picture_is_an_image_with_words_and_no_style(name: str) -> None:
    chart = stacked(bins({INSERT: 1})) if name == "_stacked" else line([1.0, 2.0])
    svg = render_to_string(f"charts/{name}.html", {"chart": chart, "label": "<orders>"})
    assert svg.startswith("<svg ") and 'role="img"' in svg and "style=" not in svg
    assert f'aria-label="&lt;orders&gt;: {chart.summary}"' in svg


def test_one_path_an_operation_is_drawn() -> None:
    chart = stacked(bins({INSERT: 1}, {INSERT: 1, REMOVE: 1}), width=20, height=40)
    assert chart.paths == [
        (INSERT, "M0 20h9v20h-9zM10 20h9v20h-9z"),
        (REMOVE, "M10 0h9v20h-9z"),
    ]
