"""The items that a reader looked up last, kept in a cookie of the browser."""

from collections.abc import Iterator
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse

from dashboard.feed.preview import key_label
from dashboard.views.item_named import Item
from streams import item_key
from streams.errors import MalformedKey

_COOKIE = "deltawatch_items"
_MOST, _LONGEST, _SECONDS = 8, 300, 90 * 86_400


class Recent(NamedTuple):
    stream: str
    token: str
    label: str


def recent_items(request: HttpRequest) -> list[Recent]:
    """The newest first; what is in the cookie and is no item is left out."""
    return list(_read(request.COOKIES.get(_COOKIE, "")))


def remember(request: HttpRequest, response: HttpResponse, item: Item) -> None:
    """Put the item in front. An item with a very long key is not kept: cookies are small."""
    if len(item.token) > _LONGEST:
        return
    this = [item.stream.name, item.token]
    kept = [[one.stream, one.token] for one in recent_items(request)]
    kept = [this, *(one for one in kept if one != this)][:_MOST]
    response.set_cookie(
        _COOKIE,
        # Names and tokens have no sign that a cookie cannot hold.
        "!".join("~".join(one) for one in kept),
        max_age=_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )


def _read(cookie: str) -> Iterator[Recent]:
    for pair in cookie.split("!")[:_MOST]:
        stream, _, token = pair.partition("~")
        try:
            yield Recent(stream, token, key_label(item_key.from_token(token)))
        except MalformedKey:
            continue
