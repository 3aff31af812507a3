"""How many rows a page of a list has, as a program asks for it."""

from django.http import HttpRequest, JsonResponse

from dashboard import access

_DEFAULT, _MOST = 100, 500


def limit_of(request: HttpRequest) -> int | JsonResponse:
    """`limit`, or the answer that refuses it."""
    limit = request.GET.get("limit", str(_DEFAULT))
    if limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= _MOST:
        return int(limit)
    sentence = f"limit={limit!r} must be a number from 1 to {_MOST}."
    return access.refusal(400, "bad-request", sentence)
