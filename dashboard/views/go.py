"""The search of the top bar: one field that takes a change's id, a stream's name, an item's key,
or a filter, and goes where that is shown."""

import json
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from dashboard.feed.links import search_for
from streams.errors import MalformedKey
from streams.item_key import canonical, item_id, parse, token
from streams.models import Stream
from streams.queries import change
from streams.queries.rows import fetch_versions
from streams.rules import PatternError, compile_text

_MOST_TEXT = 10_000
# A key is looked up in so many streams whose keys have the same attributes.
_MOST_STREAMS = 10
# What only a filter has: text with one of these is not taken for a key.
_OPERATOR = re.compile(r"[:<>!~=()\"]|\^=|\$=")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z")


def go(request: HttpRequest) -> HttpResponse:
    return redirect(place_of(request.GET.get("q", "").strip()[:_MOST_TEXT]))


def place_of(text: str) -> str:
    """The address of the page that shows what somebody typed; a search if nothing else."""
    if not text:
        return reverse("search")
    if change.find(text):
        return reverse("change", args=[text])
    if name := _stream_named(text):
        return reverse("stream", args=[name])
    if text.startswith(("{", '"')):
        return _of_json(text)
    try:
        compile_text(text)
    except PatternError:
        return search_for(text if _OPERATOR.search(text) else _key_filter("key", text))
    return search_for(text)


def _stream_named(text: str) -> str:
    names = list(Stream.objects.filter(name__iexact=text).values_list("name", flat=True)[:10])
    return text if text in names else next(iter(names), "")


def _of_json(text: str) -> str:
    """An item's page if the text is the key of one that has a history; else a search for it."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return search_for(text)
    if isinstance(value, str):
        return search_for(_key_filter("key", value))
    if not isinstance(value, dict) or not value:
        return search_for(text)
    found = _items_with_key(text, set(value))
    if len(found) == 1:
        return found[0]
    return search_for(" ".join(_key_filters(value)) or text)


def _items_with_key(text: str, names: set[str]) -> list[str]:
    streams = [
        stream
        for stream in Stream.objects.exclude(key_schema=[])
        if {name for name, _ in stream.key_schema} == names
    ]
    found = []
    for stream in streams[:_MOST_STREAMS]:
        try:
            key = canonical(parse(text, stream.key_schema))
        except MalformedKey:
            continue
        if fetch_versions(stream.pk, item_id(stream.pk, key), None, 1):
            found.append(reverse("item", args=[stream.name, token(key)]))
    return found


def _key_filters(key: dict[str, Any]) -> list[str]:
    """A condition for each attribute of a key; none if it is no key, but perhaps a pattern."""
    values: dict[str, Any] = {}
    for name, given in key.items():
        if isinstance(given, dict) and len(given) == 1 and next(iter(given)) in ("S", "N", "B"):
            given = next(iter(given.values()))
        if not isinstance(given, str):
            return []
        values[name] = given
    return [_key_filter(f"keys.{json.dumps(name)}", value) for name, value in values.items()]


def _key_filter(field: str, value: str) -> str:
    # A number without quotes means a number as well as the text of its digits.
    return f"{field}:{value if _NUMBER.match(value) else json.dumps(value)}"
