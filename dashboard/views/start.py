"""The start page: a list that comes true by itself, from credentials to the first change.

AWS is asked only when somebody presses a button; what was found is kept in the session, so that
the page can be loaded again.
"""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dashboard import access
from dashboard.forms.start import PlaceForm, WatchForm
from streams.errors import SourceError
from streams.models import Stream
from streams.queries.first import begun
from streams.sources.dynamodb.policy import account_of, spelled_policy
from streams.sources.dynamodb.tables import MOST, find_table, find_tables
from streams.stages.add import add_stream

ADD = "streams.add_stream"
_KEPT = "start"
# boto3's names for where its chain found credentials.
_CREDENTIALS = {
    "env": "environment variables",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the AWS configuration file",
    "assume-role": "a role that is assumed",
    "assume-role-with-web-identity": "a web identity (as in Kubernetes)",
    "container-role": "the container's role",
    "iam-role": "the machine's role",
    "sso": "single sign-on",
    "login": "a log-in of the AWS command line",
    "custom-process": "a credentials process",
}
# What a stream of this kind cannot tell, by its view type.
_VIEWS = {
    "NEW_AND_OLD_IMAGES": ("ok", "Both images: every change shows its old and new values."),
    "NEW_IMAGE": (
        "info",
        "New images only: old values come from our own history, and are unknown for the first "
        "change of each item.",
    ),
    "OLD_IMAGE": (
        "warn",
        "Old images only: a change does not show what was written until the item changes again.",
    ),
    "KEYS_ONLY": ("warn", "Keys only: values are not in the stream, so none can be shown."),
}


@require_GET
def start_page(request: HttpRequest) -> HttpResponse:
    return _page(request, PlaceForm(initial=_kept(request).get("place", {})))


@require_GET
def start_streams(request: HttpRequest) -> HttpResponse:
    """The part that the page renews every two seconds while a first change is waited for."""
    return render(request, "start/_streams.html", _progress())


@require_POST
@permission_required(ADD, raise_exception=True)
def look_for_tables(request: HttpRequest) -> HttpResponse:
    form = PlaceForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    given = form.given()
    kept: dict[str, Any] = {"place": given, "at": timezone.now().isoformat()}
    try:
        found = asdict(find_table(given) if "table" in given else find_tables(given))
    except SourceError as error:
        found = {"kind": error.kind, "sentence": error.sentence, "fix": error.fix}
    request.session[_KEPT] = kept | found
    return redirect("start")


@require_POST
@permission_required(ADD, raise_exception=True)
def watch_table(request: HttpRequest) -> HttpResponse:
    """Add the stream; the engine tries every call that reading needs before it is saved."""
    form = WatchForm(request.POST)
    place = PlaceForm(initial=_kept(request).get("place", {}))
    if not form.is_valid():
        said = " ".join(str(e) for errors in form.errors.values() for e in errors)
        return _page(request, place, {"table": form.data.get("table", ""), "sentence": said})
    given = form.cleaned_data
    try:
        add_stream(
            given["name"],
            "dynamodb",
            form.options(),
            given["start"],
            access.person(request).get_username(),
            settings.KEEP_DAYS,
        )
    except SourceError as error:
        failed = {"kind": error.kind, "sentence": error.sentence, "fix": error.fix}
        return _page(request, place, failed | {"table": given["table"]})
    messages.success(request, f"{given['name']} is watched from now on.")
    return redirect("start")


def _kept(request: HttpRequest) -> dict[str, Any]:
    kept: dict[str, Any] = request.session.get(_KEPT, {})
    return kept


def _page(
    request: HttpRequest,
    form: PlaceForm,
    failed: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    kept = _kept(request)
    tables = [_table(table, kept, failed or {}) for table in kept.get("tables", [])]
    source = kept.get("credentials", "")
    context = {
        "form": form,
        "kept": kept,
        "tables": tables,
        "most": MOST,
        "credentials": _CREDENTIALS.get(source, source),
        "denied": _denied(kept) if kept.get("kind") == "access-denied" else "",
        "failed": failed,
        "may_add": request.user.has_perm(ADD),
        **_progress(),
    }
    return render(request, "start/page.html", context, status=400 if failed else status)


def _progress() -> dict[str, Any]:
    streams = begun()
    return {
        "streams": streams,
        "waiting": any(not stream.seen for stream in streams),
        "seen": any(stream.seen for stream in streams),
        "now": timezone.now(),
    }


def _table(table: dict[str, str], kept: dict[str, Any], failed: dict[str, str]) -> dict[str, Any]:
    """A found table as the page shows it: as it is, what it means, and what to do."""
    level, meaning = _VIEWS.get(table["view_type"], ("info", ""))
    wrong = failed if failed.get("table") == table["name"] else {}
    kind = wrong.get("kind", table["kind"])
    watched = Stream.objects.filter(
        options__table=table["name"],
        options__region__in=[kept["region"], kept["place"].get("region", "")],
        options__endpoint_url=kept["place"].get("endpoint_url", ""),
    ).first()
    return {
        **table,
        "level": "bad" if table["kind"] else level,
        "meaning": meaning,
        "wrong": wrong,
        "policy": spelled_policy(table["name"], kept["region"], account_of(table["arn"]))
        if kind == "access-denied"
        else "",
        "watched": watched,
        "place": kept["place"],
    }


def _denied(kept: dict[str, Any]) -> str:
    """The least policy, where not even the list was allowed."""
    place = kept["place"]
    table = place.get("table", "TABLE").rpartition("/")[2]
    return spelled_policy(table, place.get("region", ""))
