"""The reader's choices of how pages look, without scripts; with them prefs.js does it."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from dashboard.shell import CHOICES

_YEAR = 31_536_000


@login_not_required
@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep what the form names in cookies, and go back to where it was sent from."""
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = "/"
    response = redirect(back)
    for name, choices in CHOICES.items():
        if (value := request.POST.get(name)) in choices:
            response.set_cookie(
                f"deltawatch_{name}",
                value,
                max_age=_YEAR,
                samesite="Lax",
                secure=request.is_secure(),
            )
    return response
