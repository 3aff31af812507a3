"""What every page has around its content: navigation, theme, time zone."""

from typing import NamedTuple

from django.http import HttpRequest

THEMES = ("system", "light", "dark")
ZONES = ("utc", "browser")
DENSITIES = ("comfortable", "compact")


class Link(NamedTuple):
    name: str  # a URL name
    label: str
    icon: str
    keys: str
    here: bool


class Shell(NamedTuple):
    theme: str
    zone: str
    density: str
    shortcuts: bool
    links: list[Link]


def context(request: HttpRequest) -> dict[str, Shell]:
    """The theme is rendered by the server, so no page flashes in the wrong colours."""
    here = request.resolver_match.view_name if request.resolver_match else ""
    links = [
        Link("overview", "Overview", "overview", "g o", here == "overview"),
        Link("live", "Live", "live", "g l", here == "live"),
        Link("search", "Search", "search", "g s", here in ("search", "view")),
    ]
    # In error pages the user is unknown if the error came before the log-in was read.
    if getattr(getattr(request, "user", None), "is_staff", False):
        links.append(Link("admin:index", "Admin", "admin", "g a", here.startswith("admin:")))
    shell = Shell(
        theme=_choice(request, "deltawatch_theme", THEMES),
        zone=_choice(request, "deltawatch_zone", ZONES),
        density=_choice(request, "deltawatch_density", DENSITIES),
        shortcuts=request.COOKIES.get("deltawatch_shortcuts") != "off",
        links=links,
    )
    return {"shell": shell}


def _choice(request: HttpRequest, cookie: str, choices: tuple[str, ...]) -> str:
    """The first choice is the default."""
    value = request.COOKIES.get(cookie, "")
    return value if value in choices else choices[0]
