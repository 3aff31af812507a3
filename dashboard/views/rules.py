"""The list of rules."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.rule_chart import week_chart
from dashboard.rule_starters import starters
from streams.queries import rules as query

_PAGE = 100
_MOST_TEXT = 200


@require_GET
def rules_page(request: HttpRequest) -> HttpResponse:
    """All rules by name, with their states; rules to begin with while nobody has made one."""
    # PostgreSQL takes no text with a NUL.
    text, after = (request.GET.get(n, "").replace("\0", "")[:_MOST_TEXT] for n in ("q", "after"))
    text = text.strip()
    found = query.page(text=text, after=after, size=_PAGE)
    begin = not text and not after and not query.own_rules()
    facts = {
        "rows": [(status, week_chart(status.week)) for status in found.rows],
        "text": text,
        "following": urlencode({"q": text, "after": found.following}) if found.following else "",
        "starters": starters() if begin else [],
        "begin": begin,
        "may_change": request.user.has_perm("streams.change_rule"),
        "may_mute": request.user.has_perm("streams.add_mute"),
        "may_add": request.user.has_perm("streams.add_rule"),
    }
    return render(request, "rules/list.html", facts)
