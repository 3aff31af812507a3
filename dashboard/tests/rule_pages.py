"""What the tests of the rule pages send, and what they get."""

from typing import Any

from django.test import Client


def post(client: Client, path: str, status: int = 200, **given: Any) -> str:
    response = client.post(path, given, follow=True)
    assert response.status_code == status
    return response.content.decode()


def sent(**given: Any) -> dict[str, Any]:
    about = {"name": "Deleted", "kind": "match", "severity": "warning", "query": "op:REMOVE"}
    return {**about, "enabled": "on", "resolve_seconds": "15 min", "why": "Because", **given}
