"""/healthz: whether this installation can do its work, for launchers, probes and balancers.

Answers within seconds whatever is wrong: it opens its own short-lived connections, because the
pages' ones may wait longer than a probe does.
"""

from datetime import timedelta

import psycopg
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, JsonResponse

from streams.queries.services import broker_fault

_SECONDS = 2
_BEAT = timedelta(seconds=30)
_OK = "ok"


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    checks = {"database": _OK, "redis": _broker(), "workers": _OK, "beat": _OK}
    try:
        checks["workers"], checks["beat"] = _processes()
    except psycopg.Error:
        checks["database"] = "PostgreSQL does not answer. See that it runs; check DATABASE_URL."
        checks["workers"] = checks["beat"] = "Unknown while the database does not answer."
    ready = all(check == _OK for check in checks.values())
    response = JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)
    response.headers["Cache-Control"] = "no-store"
    return response


def _processes() -> tuple[str, str]:
    """What the database's clock says of the workers and of beat."""
    parameters = connection.get_connection_params() | {
        "connect_timeout": _SECONDS,
        "tcp_user_timeout": _SECONDS * 1000,
        "options": f"-c statement_timeout={_SECONDS * 1000}",
    }
    # Django's own entries are meant for its cursors, not for libpq.
    for name in ("context", "cursor_factory", "prepare_threshold", "server_side_binding"):
        parameters.pop(name, None)
    with psycopg.connect(**parameters) as connected:
        row = connected.execute(
            """SELECT EXISTS (SELECT 1 FROM streams_poller WHERE expires_at > clock_timestamp()),
                      EXISTS (SELECT 1 FROM streams_heartbeat
                              WHERE name = 'beat' AND seen_at > clock_timestamp() - %s)""",
            [_BEAT],
        ).fetchone()
    workers, beat = row or (False, False)
    return (
        _OK if workers else "No worker is reading. Start one: celery -A dashboard worker.",
        _OK if beat else "Beat is not running. Start it: celery -A dashboard beat.",
    )


def _broker() -> str:
    fault = broker_fault()
    return "Redis does not answer. See that it runs; check REDIS_URL." if fault else _OK
