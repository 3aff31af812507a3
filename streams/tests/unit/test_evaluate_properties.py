"""Slicing time changes nothing; no hit is told of twice; late ones count where they belong."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alerting.definition import Definition, Rate
from streams.alerting.evaluate import Happening, Hit, Opened, Step, evaluator_of
from streams.alerting.rate import WEEK, RateEvaluator
from streams.tests.unit.evaluating import MONDAY, SECOND, at, refs, rule, told

RULES = {
    "match": rule("match"),
    "match, by hand": rule("match", resolve=0),
    "match, cool-down": rule("match", resolve=20, cool_down=90),
    "first-seen": rule("first-seen", what="new.status"),
    "count": rule("count", threshold=3, window=30),
    "count, cool-down": rule("count", threshold=2, window=15, resolve=10, cool_down=70),
    "count of one": rule("count", threshold=1, window=1, cool_down=5),
    "absence": rule("absence", seconds=20),
    "absence, cool-down": rule("absence", seconds=10, cool_down=45),
    "then": rule("sequence", within=20),
    "then, cool-down": rule("sequence", within=20, resolve=15, cool_down=60),
    "missing": rule("sequence", within=20, expect="missing"),
    "missing, cool-down": rule("sequence", within=9, expect="missing", resolve=5, cool_down=40),
    "rate": rule("rate", ratio=2, window=300, direction="both", weeks=2, least=2),
    "rate, cool-down": rule("rate", ratio=2, window=300, weeks=1, least=1, cool_down=800),
}
UNTIL = 4_000


@st.composite
def hits(draw: st.DrawFn) -> list[Hit]:
    """With clocks that rise, and times that are now, late, or a little ahead."""
    found, clock = [], 0
    for ref in range(draw(st.integers(0, 25))):
        clock += draw(st.one_of(st.integers(0, 12), st.integers(0, 400)))
        late = draw(st.one_of(st.integers(-2, 5), st.integers(0, 200)))
        part = draw(st.sampled_from([1, 1, 2]))
        found.append(Hit(at(clock), at(clock - late), ref, part, "thing"))
    return found


stops = st.lists(st.integers(0, UNTIL * SECOND).map(lambda at_: MONDAY + at_), max_size=20)


def of_kind(definition: Definition, fed: Sequence[Hit]) -> list[Hit]:
    """Only a sequence has a second part."""
    return [each if definition.kind == "sequence" else each._replace(part=1) for each in fed]


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=30, deadline=None)
@given(fed=hits(), stopping=stops)
def test_time_may_be_sliced_and_no_hit_is_told_of_twice(
    name: str, fed: list[Hit], stopping: list[int]
) -> None:
    definition = RULES[name]
    evaluator = evaluator_of(definition)
    fed = of_kind(definition, fed)
    begin = begin_of(definition)
    at_once = told(evaluator, fed, UNTIL, begin=begin())
    assert told(evaluator, fed, UNTIL, begin=begin(), stops=stopping) == at_once
    no_hit_is_told_of_twice(at_once[0], fed)
    one_alert_is_open_at_a_time(at_once[0])


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=30, deadline=None)
@given(fed=hits())
def test_the_due_time_is_the_next_at_which_anything_happens(name: str, fed: list[Hit]) -> None:
    definition = RULES[name]
    evaluator = evaluator_of(definition)
    step = begin_of(definition)()
    for each in of_kind(definition, fed):
        step = evaluator.feed(step.state, each)
        assert step.due is None or step.due > each.clock
        if step.due is not None:
            quiet = evaluator.advance(step.state, step.due - 1)
            assert quiet.happenings == [] and quiet.due == step.due
            step = quiet


def no_hit_is_told_of_twice(happenings: Sequence[Happening], fed: Sequence[Hit]) -> None:
    found = refs(happenings)
    assert len(set(found)) == len(found)
    assert set(found) <= {each.ref for each in fed}


def one_alert_is_open_at_a_time(happenings: Sequence[Happening]) -> None:
    is_open = False
    for each in happenings:
        word = type(each).__name__
        assert is_open == (word in ("Grew", "Resolved"))
        is_open = word in ("Opened", "Grew")
    moments = [each.at for each in happenings]
    assert moments == sorted(moments)


@settings(max_examples=50, deadline=None)
@given(
    times=st.lists(st.integers(0, 300), max_size=30),
    order=st.randoms(use_true_random=False),
    threshold=st.integers(1, 6),
    window=st.integers(1, 60),
)
def test_a_count_fires_if_any_window_is_full_in_whatever_order_its_hits_come(
    times: list[int], order: object, threshold: int, window: int
) -> None:
    shuffled = [*times]
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    fed = [Hit(at(1_000 + n), at(time), n) for n, time in enumerate(shuffled)]
    evaluator = evaluator_of(rule("count", threshold=threshold, window=window, resolve=0))
    happenings, _ = told(evaluator, fed, 5_000)
    times.sort()
    pairs = zip(times, times[threshold - 1 :], strict=False)
    full = any(last - first <= window for first, last in pairs)
    assert bool([each for each in happenings if isinstance(each, Opened)]) == full


@settings(max_examples=50, deadline=None)
@given(times=st.lists(st.integers(0, 3_000), max_size=40), order=st.randoms(use_true_random=False))
def test_a_rate_counts_hits_in_their_own_windows(times: list[int], order: object) -> None:
    order.shuffle(times)  # type: ignore[attr-defined]
    definition = RULES["rate"]
    assert isinstance(definition.params, Rate)
    fed = [Hit(at(3_000 + n), at(time), n) for n, time in enumerate(times)]
    evaluator = evaluator_of(definition)
    _, state = told(evaluator, fed, UNTIL, begin=evaluator.begin(at(0)))
    assert state is not None
    first = at(0) // (300 * SECOND)
    assert state["first"] == first
    expected = Counter(time // 300 for time in times)
    counts = dict(enumerate(state["counts"]))
    assert {n: count for n, count in counts.items() if count} == dict(expected)


def begin_of(definition: Definition) -> Callable[[], Step]:
    """What makes the first step: a rate knows two past weeks of few changes."""
    evaluator = evaluator_of(definition)
    if isinstance(evaluator, RateEvaluator):
        window = 300 * SECOND
        first = (at(0) - 2 * WEEK) // window
        counts = [n % 5 for n in range(at(0) // window - first)]
        return lambda: evaluator.begin_with(first, counts, at(0))
    return lambda: evaluator.begin(at(0))
