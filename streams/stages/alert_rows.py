"""The rows of alerts that changed, written in one statement."""

from collections.abc import Collection

from django.db import connection

from streams.models import Alert

_COLUMNS = {
    **dict.fromkeys(("state", "resolved_by", "owner", "sentence", "fix"), "text"),
    **dict.fromkeys(("count", "suppressed"), "bigint"),
    **dict.fromkeys(("last_at", "resolved_at", "acknowledged_at"), "timestamptz"),
    **dict.fromkeys(("digest_at", "repeat_at", "escalate_at"), "timestamptz"),
}
_ARRAYS = ", ".join(f"%s::{kind}[]" for kind in ("bigint", *_COLUMNS.values()))
# bulk_update asks for one CASE a row and column: with 500 alerts that took more than a second.
_UPDATE = f"""
    UPDATE streams_alert a SET {", ".join(f"{name} = new.{name}" for name in _COLUMNS)}
    FROM unnest({_ARRAYS}) AS new(id, {", ".join(_COLUMNS)}) WHERE a.id = new.id
"""


def update(alerts: Collection[Alert]) -> None:
    """Write what can change in an alert's life."""
    if alerts:
        columns = [[getattr(alert, name) for alert in alerts] for name in ("pk", *_COLUMNS)]
        columns[1] = [str(state) for state in columns[1]]
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE, columns)
