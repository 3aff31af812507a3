"""The problems: the list, and the page of one with explanation, records and timeline."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from dashboard import access
from dashboard.feed.preview import raw_text
from dashboard.forms.problem import HandleForm, people, spans
from streams.explanations import TABS, denied_call, explain
from streams.models import PoisonRecord, Problem, Stream
from streams.queries import problems as query
from streams.queries.place import Place
from streams.sources.dynamodb.policy import account_of, spelled_policy
from streams.stages.handle import NotResolvable

_PAGE = 50
_RECORDS = 10
# So much of a record is shown; all of it can be downloaded.
_TEXT, _HEX = 4_000, 512
HANDLE = "streams.change_problem"
SETTLE = "streams.change_poisonrecord"


@require_GET
def problems_page(request: HttpRequest) -> HttpResponse:
    asked = asked_of(request.GET)
    page = query.page(asked, _PAGE)
    counted = query.counts(asked)
    chosen = {"state": asked.state, "stream": asked.stream.name if asked.stream else ""}
    rest = {name: value for name, value in chosen.items() if value not in ("", "open")}
    context = {
        "asked": asked,
        "rows": page.rows,
        "following": page.following,
        "older": _address({**rest, "tab": asked.tab, "before": str(page.following or "")}),
        "tabs": [(tab, counted[tab], _address({**rest, "tab": tab})) for tab in ("", *TABS)],
        "most": query.COUNTED,
        "states": query.STATES,
        "streams": Stream.objects.values_list("name", flat=True)[:1_000],
        "watch": query.watch(),
        "may_handle": request.user.has_perm(HANDLE),
        "here": request.get_full_path(),
    }
    return render(request, "problems/list.html", context)


def asked_of(given: Any) -> query.Asked:
    """The filter in an address; Http404 if it names what there is not."""
    tab, state = given.get("tab", ""), given.get("state") or "open"
    if tab not in ("", *TABS) or state not in query.STATES:
        raise Http404("There is no such list of problems.")
    stream = None
    if name := given.get("stream", ""):
        stream = Stream.objects.filter(name=name).first()
        if stream is None:
            raise Http404(f"There is no stream “{name}”.")
    try:
        before = Place.parse(given["before"]) if given.get("before") else None
    except ValueError as error:
        raise Http404("The place in the list is none.") from error
    return query.Asked(tab, state, stream, before)


@require_GET
def problem_page(request: HttpRequest, problem_id: int) -> HttpResponse:
    return shown(request, problem_id)


def shown(
    request: HttpRequest, problem_id: int, wrong: str = "", record: int | None = None
) -> HttpResponse:
    """The page of a problem; with what was wrong about a form of it, and of which record."""
    found = query.find(problem_id)
    if found is None:
        raise Http404(f"There is no problem {problem_id}.")
    problem, state = found
    who = access.person(request).get_username()
    before = request.GET.get("records", "")
    records, older = query.records_of(
        problem, int(before) if before.isdecimal() and len(before) < 19 else None, _RECORDS
    )
    context = {
        "problem": problem,
        "state": state,
        "explanation": explain(problem.kind),
        "about": query.about(problem),
        "denied": denied_call(problem.sentence) if problem.kind == "access-denied" else None,
        "policy": _policy(problem),
        "gaps": query.gaps_of(problem),
        "throttled": query.throttled_shards(problem),
        "records": [_shown(record) for record in records],
        "older_records": older,
        "waiting": query.waiting(problem.pk),
        "most": query.COUNTED,
        "timeline": query.timeline(problem),
        "people": people(who),
        "spans": spans(),
        "may_handle": request.user.has_perm(HANDLE),
        "may_settle": request.user.has_perm(SETTLE),
        "wrong": wrong,
        "wrong_record": record,
    }
    return render(request, "problems/problem.html", context, status=400 if wrong else 200)


@require_POST
@permission_required(HANDLE, raise_exception=True)
def handle_problems(request: HttpRequest) -> HttpResponse:
    """Acknowledge, resolve, ignore or open again one problem or those that are checked."""
    form = HandleForm(request.POST, access.person(request).get_username())
    try:
        if form.is_valid():
            messages.success(request, form.apply())
        else:
            messages.error(request, f"Nothing was changed. {form.sentence}")
    except NotResolvable as error:
        messages.error(request, f"Nothing was changed. {error}")
    after = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(after, None):
        return redirect("problems")
    return redirect(after)


def _address(given: dict[str, str]) -> str:
    return urlencode({name: value for name, value in given.items() if value})


def _policy(problem: Problem) -> str:
    """The least policy for the problem's table, where permissions are what lacks."""
    stream = problem.stream
    if problem.kind != "access-denied" or stream is None or "table" not in stream.options:
        return ""
    region = stream.options.get("region", "")
    return spelled_policy(stream.options["table"], region, account_of(stream.arn))


def _shown(record: PoisonRecord) -> dict[str, Any]:
    raw = bytes(record.raw)
    return {
        "row": record,
        "text": raw_text(raw[:_TEXT]),
        "text_left": max(0, len(raw) - _TEXT),
        "hex": hex_lines(raw[:_HEX]),
        "hex_left": max(0, len(raw) - _HEX),
        "size": len(raw),
    }


def hex_lines(raw: bytes) -> str:
    """Sixteen bytes a line: where, what, and as text."""
    lines = []
    for start in range(0, len(raw), 16):
        part = raw[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        lines.append(f"{start:06x}  {part.hex(' '):<47}  {text}")
    return "\n".join(lines)
