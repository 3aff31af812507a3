"""Who may see what, and what a page may load.

Every page, the API and the socket ask here, so a rule is written once.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from types import SimpleNamespace
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from streams.models import Stream

Parameters = ParamSpec("Parameters")
View = Callable[Concatenate[HttpRequest, Parameters], HttpResponse]

# Scripts and styles only from files of this server; nothing inline, nothing from elsewhere.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class ContentSecurityPolicy(MiddlewareMixin):
    """The policy on every response, the admin's and the error pages included."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Permissions-Policy"] = PERMISSIONS
        return response


class LoginRequired(LoginRequiredMiddleware):
    """Django's, but a view that needs no log-in is not asked whose it is first: that would be a
    query, and /healthz must answer while the database does not."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)


def api(view: View[Parameters]) -> View[Parameters]:
    """A view for programs: without a log-in it answers 401, not a redirect to a form."""

    @login_not_required  # instead of the middleware's redirect
    @wraps(view)
    def checked(
        request: HttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponse:
        if not request.user.is_authenticated:
            return refusal(401, "login-required", "Log in first: this needs a session.")
        return view(request, *args, **kwargs)

    return checked


def refusal(status: int, code: str, sentence: str) -> JsonResponse:
    """An API's error, in the one shape all of them have."""
    return JsonResponse({"error": {"code": code, "sentence": sentence}}, status=status)


def visible_streams(names: Iterable[str]) -> dict[str, int]:
    """The ids of the named streams; a name that is missing here must not be shown."""
    return dict(Stream.objects.filter(name__in=list(names)).values_list("name", "id"))


def person(request: HttpRequest) -> User:
    """Who is logged in: on every page but the log-in somebody is."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied


def session_user(session_key: str) -> int | None:
    """The user a session belongs to now: None after log-out, expiry or deactivation.

    Read anew each time, because a socket outlives the request that opened it.
    """
    session = SessionStore(session_key=session_key)
    user = get_user(SimpleNamespace(session=session, META={}))  # type: ignore[arg-type]
    return user.pk if user.is_authenticated else None


def session_key(cookies: dict[str, str]) -> str:
    return cookies.get(settings.SESSION_COOKIE_NAME, "")
