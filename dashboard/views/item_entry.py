"""Where a look-up begins: a stream, and the key of one of its items."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from dashboard.feed.preview import visible
from dashboard.views.item_recent import recent_items
from streams import item_key
from streams.errors import MalformedKey
from streams.models import Stream

_TYPES = {"S": "string", "N": "number", "B": "binary, as base64"}


@require_GET
def entry_page(request: HttpRequest) -> HttpResponse:
    """The form; with a stream and a key it leads to the item. A key may come as `json`, or as one
    parameter for each part: `key.0`, `key.1`."""
    streams = list(Stream.objects.all())
    name = request.GET.get("stream", "")
    chosen = next((s for s in streams if s.name == name), None)
    if chosen is None and len(streams) == 1 and not name:
        chosen = streams[0]
    facts: dict[str, Any] = {"streams": streams, "chosen": chosen, "recent": recent_items(request)}
    wrong, where = "", ""
    if name and chosen is None:
        wrong, where = f"There is no stream “{visible(name[:80])}”.", "stream"
    elif chosen is not None:
        facts["parts"] = _parts(request, chosen)
        facts["json"] = request.GET.get("json", "")
        try:
            if key := _key(request, chosen):
                return redirect("item", chosen.name, item_key.token_of(key))
        except MalformedKey as error:
            wrong, where = visible(str(error)), "json" if facts["json"].strip() else "parts"
    facts |= {"wrong": wrong, "where": where}
    return render(request, "item/entry.html", facts, status=400 if wrong else 200)


def _parts(request: HttpRequest, stream: Stream) -> list[dict[str, str]]:
    return [
        {
            "field": f"key.{number}",
            "name": name,
            "role": "sort key" if number else "partition key",
            "type": _TYPES.get(type_, type_),
            "letter": type_,
            "value": request.GET.get(f"key.{number}", ""),
        }
        for number, (name, type_) in enumerate(stream.key_schema)
    ]


def _key(request: HttpRequest, stream: Stream) -> item_key.Key | None:
    """The key that was typed, None if nothing was; MalformedKey says what is wrong with it."""
    if text := request.GET.get("json", "").strip():
        return item_key.parse(text, stream.key_schema)
    typed = {
        name: {type_: request.GET.get(f"key.{number}", "")}
        for number, (name, type_) in enumerate(stream.key_schema)
    }
    given = [value for part in typed.values() for value in part.values()]
    if not any(given):
        return None
    if not all(given):
        raise MalformedKey(f"The key has {len(given)} parts; fill in both.")
    return item_key.parse(json.dumps(typed), stream.key_schema)
