"""When nothing is sent: the mutes and maintenance windows, as pages show them."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from streams.alerting.calendar import Span, covering, doubts, following
from streams.models import Alert, MaintenanceWindow, Mute
from streams.stages.told_rules import window_of

# People make these by hand: more than so many are a mistake, and the page says that it is cut.
MOST_WINDOWS = 200
_LATELY = 20


class Held(NamedTuple):
    """A window, in which of its spans it is now (None if in none), and when it begins next."""

    window: MaintenanceWindow
    now: Span | None
    next: Span | None

    @property
    def quiet(self) -> bool:
        """Whether it keeps quiet now."""
        return self.window.enabled and self.now is not None


def mutes_lately(now: datetime) -> list[Mute]:
    """The last twenty that are over."""
    found = Mute.objects.filter(~Q(ended_at=None) | Q(until__lte=now)).select_related("rule")
    return list(found.order_by("-pk")[:_LATELY])


def windows(now: datetime) -> list[Held]:
    found = MaintenanceWindow.objects.prefetch_related("rules").order_by("name")
    return [_held(window, now) for window in found[:MOST_WINDOWS]]


def windows_of(alert: Alert, now: datetime) -> list[Held]:
    """The maintenance windows that hold an alert back now."""
    reach = Q(rules=None)
    if alert.rule_id:
        reach |= Q(rules=alert.rule_id)
    found = MaintenanceWindow.objects.filter(reach, enabled=True).distinct().order_by("name")
    return [held for window in found[:MOST_WINDOWS] if (held := _held(window, now)).quiet]


def _held(window: MaintenanceWindow, now: datetime) -> Held:
    """One that cannot be used, as a script may have made it, is never quiet."""
    plain = window_of(window)
    if doubts(plain):
        return Held(window, None, None)
    return Held(window, covering(plain, now), following(plain, now))
