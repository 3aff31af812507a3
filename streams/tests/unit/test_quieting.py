"""The one edit that would quiet a rule, worked out on alerts of known times."""

from datetime import UTC, datetime, timedelta

from streams.alerting.quieting import Edit, Fired, Now, quieter

START = datetime(2026, 11, 22, tzinfo=UTC)
MATCH = Now(resolve=900, cool_down=0, digest=0)
HEALTH = Now(resolve=0, cool_down=0, digest=0, resolves=False)


def fired(minute: float, group: str = "", lasted: float = 1) -> Fired:
    opened = START + timedelta(minutes=minute)
    return Fired(group, opened, opened + timedelta(minutes=lasted))


def test_few_alerts_are_no_noise() -> None:
    assert quieter([fired(n) for n in range(4)], MATCH) is None


def test_what_comes_again_resolves_too_early() -> None:
    """Every half an hour, for ten hours: it was the same trouble all the time."""
    alerts = [fired(30 * n) for n in range(20)]
    assert quieter(alerts, MATCH) == Edit("resolve_seconds", 3_600, 20, 1)


def test_the_order_of_the_alerts_does_not_matter() -> None:
    alerts = [fired(30 * n) for n in range(20)]
    assert quieter(alerts[::-1], MATCH) == quieter(alerts, MATCH)


def test_what_resolves_when_it_is_gone_cools_down_as_little_as_halves_it() -> None:
    alerts = [fired(7 * n) for n in range(12)]
    assert quieter(alerts, HEALTH) == Edit("cool_down_seconds", 900, 12, 4)


def test_what_never_resolves_by_itself_is_not_made_to() -> None:
    alerts = [fired(30 * n) for n in range(20)]
    edit = quieter(alerts, Now(resolve=0, cool_down=0, digest=0))
    assert edit == Edit("cool_down_seconds", 3_600, 20, 10)


def test_a_burst_of_many_groups_wants_a_digest() -> None:
    alerts = [fired(hour * 60 + n, f"order {hour} {n}") for hour in (0, 12) for n in range(10)]
    assert quieter(alerts, MATCH) == Edit("digest_seconds", 3_600, 20, 2)


def test_one_group_that_makes_nearly_all_is_muted() -> None:
    alerts = [fired(n, "order 7") for n in range(9)] + [fired(3, "order 8")]
    assert quieter(alerts, MATCH) == Edit("group", "order 7", 10, 1)


def test_rare_alerts_of_different_things_stay_as_they_are() -> None:
    alerts = [fired(2 * 1440 * n, f"order {n}") for n in range(10)]
    assert quieter(alerts, MATCH) is None


def test_what_the_rule_says_already_is_not_proposed() -> None:
    alerts = [fired(30 * n) for n in range(20)]
    now = Now(resolve=86_400, cool_down=86_400, digest=86_400)
    assert quieter(alerts, now) is None
