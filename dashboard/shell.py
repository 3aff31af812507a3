"""What every page has around its content: navigation, choices of the reader, what is wrong now."""

from functools import cached_property
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from streams.models import Problem
from streams.models.problem import in_state
from streams.queries.alert_list import count_open

THEMES = ("system", "light", "dark")
ZONES = ("utc", "browser")
DENSITIES = ("comfortable", "compact")
TIMES = ("absolute", "relative")
SHORTCUTS = ("on", "off")
# What a reader may choose, each kept in a cookie of this name with `deltawatch_` in front; the
# first is the default.
CHOICES = {
    "theme": THEMES,
    "zone": ZONES,
    "density": DENSITIES,
    "times": TIMES,
    "shortcuts": SHORTCUTS,
}
# The pages that belong to an entry of the navigation.
_OVERVIEW = ("overview", "stream", "start")
_SEARCH = ("search", "search-export", "views", "view", "view-new", "view-edit")
_ITEMS = ("items", "item", "item-blame", "item-evidence", "item-undo")
_PROBLEMS = ("problems", "problem", "problem-retry", "system")
_RULES = ("rules", "rule", "rule-new", "rule-history", "drift")
_ALERTS = (
    *("alerts", "alert", "quiet", "mute-new", "window", "window-new", "noise"),
    *("destinations", "destination", "destination-new", "destination-test"),
)
# The badges say "99+" from here on; nothing is counted beyond.
_MOST = 100


class Link(NamedTuple):
    """`badge` is how many of it are open, "" for none; None for what has no badge."""

    url: str
    label: str
    icon: str
    keys: str
    here: bool
    badge: str | None = None


class Shell:
    """`links` and what is open are found when a template asks for them: the log-in and the error
    pages show neither, and must work while the database does not."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        chosen = {name: _choice(request, name) for name in CHOICES}
        self.theme, self.zone = chosen["theme"], chosen["zone"]
        self.density, self.times = chosen["density"], chosen["times"]
        self.shortcuts = chosen["shortcuts"] == "on"
        self.environment = settings.ENVIRONMENT

    @cached_property
    def links(self) -> list[Link]:
        match = self._request.resolver_match
        here = match.view_name if match else ""
        links = [
            Link(reverse("overview"), "Overview", "overview", "g o", here in _OVERVIEW),
            Link(reverse("live"), "Live", "live", "g l", here == "live"),
            Link(reverse("search"), "Search", "search", "g s", here in _SEARCH),
            Link(reverse("items"), "Items", "items", "g i", here in _ITEMS),
            Link(reverse("rules"), "Rules", "rules", "g r", here in _RULES),
            Link(reverse("alerts"), "Alerts", "alerts", "g a", here in _ALERTS, self.alerts),
            Link(
                *(reverse("problems"), "Problems", "problems", "g p"),
                *(here in _PROBLEMS, self.problems),
            ),
        ]
        if getattr(getattr(self._request, "user", None), "is_staff", False):
            admin = here.startswith("admin:")
            links.append(Link(reverse("admin:index"), "Admin", "admin", "g m", admin))
        return links

    @property
    def problems(self) -> str:
        """How many problems are open: "", "1" … "99", "99+"."""
        return _spelled(self._counts[0])

    @property
    def alerts(self) -> str:
        """How many alerts are open or acknowledged, spelled alike."""
        return _spelled(self._counts[1])

    @property
    def open(self) -> str:
        """Both together: what a tab in the background says."""
        return _spelled(sum(self._counts))

    @cached_property
    def _counts(self) -> tuple[int, int]:
        """Open problems and open alerts, each counted up to 100."""
        try:
            return open_problems(), count_open()
        except DatabaseError:
            return 0, 0


def context(request: HttpRequest) -> dict[str, Shell]:
    """The theme is rendered by the server, so no page flashes in the wrong colours."""
    return {"shell": Shell(request)}


def open_problems() -> int:
    """How many problems are open, counted up to 100; those that somebody ignores are not."""
    return Problem.objects.filter(in_state("open", timezone.now()))[:_MOST].count()


def _spelled(count: int) -> str:
    return "99+" if count >= _MOST else str(count or "")


def _choice(request: HttpRequest, name: str) -> str:
    """The first choice is the default."""
    value = request.COOKIES.get(f"deltawatch_{name}", "")
    return value if value in CHOICES[name] else CHOICES[name][0]
