"""One alert with everything that belongs to it: its life, its changes, and what was sent."""

from datetime import datetime
from typing import NamedTuple

from streams.models import Alert, AlertEvent, Delivery, Match, Mute, RuleVersion
from streams.queries.rows import Extent, StoredChange, fetch_of

# So many of each on the page; the changes go on from there.
MOST_EVENTS = 200
MOST_DELIVERIES = 200


class Told(NamedTuple):
    """An alert, its life and its deliveries (the newest first), the version of the rule that opened
    it (None if that was deleted), and the mutes under which it is now."""

    alert: Alert
    events: list[AlertEvent]
    deliveries: list[Delivery]
    version: RuleVersion | None
    mutes: list[Mute]


class Matched(NamedTuple):
    """A match of an alert; its change, or None if that is not stored any more."""

    match: Match
    change: StoredChange | None


def find(number: int, now: datetime) -> Told | None:
    alert = Alert.objects.select_related("rule", "stream").filter(pk=number).first()
    if alert is None:
        return None
    deliveries = alert.deliveries.select_related("destination").prefetch_related("attempts")
    version = RuleVersion.objects.filter(rule=alert.rule_id, version=alert.rule_version)
    return Told(
        alert,
        list(alert.events.all()[:MOST_EVENTS]),
        list(deliveries.order_by("-pk")[:MOST_DELIVERIES]),
        version.first() if alert.rule_id else None,
        [mute for mute in running_mutes(now) if covers(mute, alert.rule_id, alert.group)],
    )


def changes_of(alert: Alert, after: int, limit: int) -> tuple[list[Matched], int | None]:
    """A page of an alert's matches in the order they were stored, with their changes, and where to
    go on (the last one's number; begin at 0)."""
    matches = list(alert.matches.filter(pk__gt=after).order_by("pk")[: limit + 1])
    following = matches[limit - 1].pk if len(matches) > limit else None
    matches = matches[:limit]
    stored = changes_by_id(matches)
    return [Matched(match, stored.get(match.change)) for match in matches], following


def changes_by_id(matches: list[Match]) -> dict[str, StoredChange]:
    """The changes of these matches that are still stored, by their permalinks."""
    extents = {
        match.batch_id: Extent(
            match.batch_id,
            match.stream_id,
            match.batch.oldest_change_at,
            match.batch.newest_change_at,
        )
        for match in Match.objects.filter(pk__in=[m.pk for m in matches]).select_related("batch")
    }
    found = fetch_of(
        extents.values(),
        "WHERE (c.batch_id, c.ordinal) IN (SELECT * FROM unnest(%s::bigint[], %s::int[]))",
        [[match.batch_id for match in matches], [match.ordinal for match in matches]],
    )
    return {change.id: change for change in found}


def running_mutes(now: datetime) -> list[Mute]:
    """The mutes that are not over, the one that ends first in front."""
    running = Mute.objects.filter(until__gt=now, ended_at__isnull=True)
    return list(running.select_related("rule").order_by("until"))


def covers(mute: Mute, rule_id: int | None, group: str) -> bool:
    """Whether a mute holds back what is told of this group of the rule."""
    if mute.rule_id is None:
        return True
    return mute.rule_id == rule_id and mute.group in (None, group)
