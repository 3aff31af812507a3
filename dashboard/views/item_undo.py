"""The plan that would bring an item back to a version. It is shown and never run."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.views.item_named import named_item, version_of
from dashboard.views.values import Limits, line
from streams.queries.undo import undo_plan
from streams.undo import UndoPlan, UndoRefused

_ROWS = 200


@require_GET
def undo_page(request: HttpRequest, stream: str, token: str, change_id: str) -> HttpResponse:
    """The page; with `format` python or json the plan as a file."""
    item = named_item(stream, token)
    version = version_of(item, change_id)
    facts: dict[str, Any] = {
        "item": item,
        "stream": item.stream,
        "key": item.label,
        "version": version,
    }
    try:
        plan = undo_plan(item.stream, version)
    except UndoRefused as refused:
        return render(request, "item/undo.html", facts | {"refused": refused})
    format_ = request.GET.get("format")
    if format_ in ("python", "json"):
        return _file(plan, format_)
    limits = Limits()
    return render(
        request,
        "item/undo.html",
        facts
        | {
            "plan": plan,
            "lines": [line(difference, limits) for difference in plan.differences[:_ROWS]],
            "left_out": max(0, len(plan.differences) - _ROWS),
        },
    )


def _file(plan: UndoPlan, format_: str) -> HttpResponse:
    script = format_ == "python"
    response = HttpResponse(
        plan.python_script() if script else plan.cli_json() + "\n",
        content_type="text/x-python; charset=utf-8" if script else "application/json",
    )
    response["Content-Disposition"] = f'attachment; filename="undo.{"py" if script else "json"}"'
    return response
