"""What came of matches: gathered while they are evaluated, written at once."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from streams.alerting.evaluate import Grew, Happening, Opened, Resolved, Suppressed
from streams.change import moment
from streams.models import Alert, Match, Rule
from streams.stages.alert import Alerts

Outcome = Match.Outcome


class Place(NamedTuple):
    """Where a match's change is."""

    change: str
    stream_id: int


class Outcomes:
    """`places` are those of matches that are known already, by number."""

    def __init__(self, places: dict[int, Place] | None = None) -> None:
        self._places = places or {}
        self._found: dict[int, tuple[str, Alert | None]] = {}

    def count(self, match: int) -> None:
        """Nothing came of it yet; what comes of it later overrides this."""
        self._found.setdefault(match, (Outcome.COUNTED, None))

    def supersede(self, match: int) -> None:
        self._found[match] = (Outcome.SUPERSEDED, None)

    def look_up(self, happenings: Iterable[Happening]) -> None:
        """Find the changes that made alerts, where they are not known yet."""
        firing = {h.refs[-1] for h in happenings if isinstance(h, Opened) and h.refs}
        missing = firing - self._places.keys()
        if missing:
            rows = Match.objects.filter(pk__in=missing)
            for number, batch, ordinal, stream in rows.values_list(
                "pk", "batch_id", "ordinal", "stream_id"
            ):
                self._places[number] = Place(f"{batch}-{ordinal}", stream)

    def follow(
        self, rule: Rule, group: str, happenings: Iterable[Happening], alerts: Alerts
    ) -> None:
        """Let happen to the alerts of this group what its evaluator says."""
        for happening in happenings:
            if isinstance(happening, Opened):
                self._open(rule, group, happening, alerts)
            elif isinstance(happening, Suppressed):
                self._suppress(alerts.last_of(rule.pk, group), happening, alerts)
            elif alert := alerts.open_of(rule.pk, group):
                self._go_on(alert, happening, alerts)

    def write(self) -> None:
        """The alerts are written already, so that they have numbers."""
        if not self._found:
            return
        rows = [(number, *found) for number, found in self._found.items()]
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE streams_match m SET outcome = new.outcome, alert_id = new.alert_id
                   FROM unnest(%s::bigint[], %s::text[], %s::bigint[])
                       AS new(id, outcome, alert_id)
                   WHERE m.id = new.id""",
                [
                    [number for number, _, _ in rows],
                    [str(outcome) for _, outcome, _ in rows],
                    [alert.pk if alert else None for _, _, alert in rows],
                ],
            )

    def _open(self, rule: Rule, group: str, opened: Opened, alerts: Alerts) -> None:
        place = self._places.get(opened.refs[-1]) if opened.refs else None
        alert = alerts.open(
            rule,
            group,
            moment(opened.at),
            opened.sentence,
            count=opened.count,
            stream_id=place.stream_id if place else None,
            change=place.change if place else "",
        )
        for ref in opened.refs:
            self._found[ref] = (Outcome.ALERT, alert)

    def _suppress(self, last: Alert | None, happening: Suppressed, alerts: Alerts) -> None:
        if last:
            alerts.suppress(last)
        for ref in happening.refs:
            self._found[ref] = (Outcome.SUPPRESSED, last)

    def _go_on(self, alert: Alert, happening: Grew | Resolved, alerts: Alerts) -> None:
        if isinstance(happening, Resolved):
            alerts.resolve(alert, moment(happening.at), happening.why)
        else:
            alerts.grow(alert, moment(happening.at))
            self._found[happening.ref] = (Outcome.ALERT, alert)
