"""The item that an address names, and its versions in other parameters of the address."""

from typing import NamedTuple
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.feed.preview import key_label, visible
from streams import item_key
from streams.errors import MalformedKey
from streams.models import Stream
from streams.queries.change import find
from streams.queries.rows import StoredChange


class Item(NamedTuple):
    """`canonical` is the key as JSON, `token` the same in an address."""

    stream: Stream
    key: item_key.Key
    canonical: str
    token: str
    id: UUID

    @property
    def label(self) -> str:
        return key_label(self.key, 300)


def named_item(stream: str, token: str) -> Item:
    """Http404 says what is wrong with the address."""
    watched = get_object_or_404(Stream, name=stream)
    try:
        key = item_key.from_token(token)
        canonical = item_key.canonical(key)
    except (MalformedKey, ArithmeticError) as error:
        raise Http404(str(error)) from error
    item = item_key.item_id(watched.pk, canonical)
    return Item(watched, key, canonical, item_key.token(canonical), item)


def named_version(request: HttpRequest, item: Item, name: str) -> StoredChange | None:
    """The version whose id a parameter holds, None without one; Http404 if the item has no such
    version."""
    text = request.GET.get(name, "")
    return version_of(item, text) if text else None


def version_of(item: Item, change_id: str) -> StoredChange:
    found = find(change_id)
    if found is None or found.item != item.id or found.stream_id != item.stream.pk:
        raise Http404(
            f"This item has no version {visible(change_id)[:40]}; it may be past retention."
        )
    return found
