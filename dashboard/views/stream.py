"""One stream's page: its state, its charts, its shards, what is missing, what changes most."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dashboard import access
from dashboard.chart_range import RANGES, chart_range
from dashboard.stream_parts import VIEW_WORDS, charts, hot_parts, latency_rows, shard_page
from streams.errors import SourceRefused
from streams.models import Edit, Gap, Problem, Stream
from streams.queries.hot import hot
from streams.queries.latency import latency
from streams.queries.overview import statuses, system
from streams.queries.series import MOST_REST, rest, stretches
from streams.queries.shards import shard_statuses
from streams.sources.registry import RETENTION
from streams.stages import add as stages
from streams.state import UNTOLD

CHANGE = "streams.change_stream"
# The newest; the lists say when there are more.
_GAPS, _PROBLEMS, _EDITS = 20, 10, 10


@require_GET
def stream_page(request: HttpRequest, name: str) -> HttpResponse:
    stream = get_object_or_404(Stream, name=name)
    now = timezone.now()
    chosen = chart_range(request.GET, now)
    found = stretches([stream.pk], chosen.since, chosen.until, chosen.bins)
    sampled = hot(stream.pk)
    now_of = _now(stream)
    context = {
        **now_of,
        "range": chosen,
        "ranges": [(key, label) for key, (label, _) in RANGES.items()],
        "since_text": request.GET.get("since", "").strip(),
        "until_text": request.GET.get("until", "").strip(),
        "charts": charts(stream.name, chosen, found.get(stream.pk, [])),
        "late": rest() > MOST_REST,
        "latency": latency_rows(latency(stream.pk)),
        "shards": shard_page(shard_statuses(stream, now_of["system"]), request.GET),
        "hot": hot_parts(stream, sampled),
        **_lists(stream),
        "view_words": VIEW_WORDS.get(stream.view_type, ""),
        "may_change": request.user.has_perm(CHANGE),
    }
    return render(request, "stream/page.html", context)


@require_GET
def stream_now(request: HttpRequest, name: str) -> HttpResponse:
    """The part that the page renews by itself."""
    return render(request, "stream/_now.html", _now(get_object_or_404(Stream, name=name)))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def stream_pause(request: HttpRequest, name: str) -> HttpResponse:
    """Pause or resume reading (`act`)."""
    stream = get_object_or_404(Stream, name=name)
    who = access.person(request).get_username()
    if request.POST.get("act") == "resume":
        if stream.paused_at:
            stages.resume(stream, who)
        messages.success(request, f"{stream} is read again.")
    else:
        if not stream.paused_at:
            stages.pause(stream, who)
        messages.success(request, f"{stream} is paused. Nothing is lost while its source keeps it.")
    return redirect("stream", name=name)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def stream_ignore(request: HttpRequest, name: str) -> HttpResponse:
    """Ignore more fields (`names`, separated by commas, or one `name`), or one less (`stop`)."""
    stream = get_object_or_404(Stream, name=name)
    wanted = {*stream.ignored_fields, *stages.parse_names(request.POST.get("names", ""))}
    wanted |= {request.POST["name"]} if request.POST.get("name") else set()
    wanted -= {request.POST.get("stop", "")}
    try:
        stages.change_ignored(stream, sorted(wanted), access.person(request).get_username())
    except SourceRefused as error:
        messages.error(request, f"{error.sentence} {error.fix}")
    else:
        said = ", ".join(stream.ignored_fields) or "nothing"
        messages.success(request, f"Ignored fields of {stream}: {said}.")
    return redirect(f"{reverse('stream', args=[name])}#ignored")


def _now(stream: Stream) -> dict[str, Any]:
    health = system()
    status = next((found for found in statuses(health) if found.id == stream.pk), None)
    return {
        "stream": stream,
        "status": status,
        "system": health,
        "untold": UNTOLD,
        "retention_hours": RETENTION[stream.source].total_seconds() / 3600,
        "now": timezone.now(),
    }


def _lists(stream: Stream) -> dict[str, Any]:
    """What is kept about the stream, the newest first; each cut, and told when it is."""
    gaps = list(Gap.objects.filter(stream=stream).select_related("shard")[: _GAPS + 1])
    problems = list(Problem.objects.filter(stream=stream)[: _PROBLEMS + 1])
    edits = list(Edit.objects.filter(what=f"stream {stream.name}")[: _EDITS + 1])
    query = urlencode({"stream": stream.name, "state": "all"})
    return {
        "gaps": gaps[:_GAPS],
        "more_gaps": len(gaps) > _GAPS,
        "problems": problems[:_PROBLEMS],
        "more_problems": len(problems) > _PROBLEMS,
        "problems_url": f"{reverse('problems')}?{query}",
        "edits": edits[:_EDITS],
        "more_edits": len(edits) > _EDITS,
    }
