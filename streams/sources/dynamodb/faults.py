"""AWS error answers as our own errors, with what to do in words."""

import json

from streams.errors import (
    IteratorExpired,
    PositionTrimmed,
    ShardGone,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    Throttled,
)
from streams.explanations import denied_call

_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "Throttling",
}
_DENIED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "UnrecognizedClientException",
}


def error_for(operation: str, status: int, body: bytes, where: str) -> SourceError:
    """The error that an answer other than 200 stands for. `where` names the table and region."""
    code, message = _code_and_message(body)
    said = f"{operation} on {where}: {code or f'HTTP {status}'}. {message}".strip()
    if code == "ExpiredIteratorException":
        return IteratorExpired(said)
    if code == "TrimmedDataAccessException":
        return PositionTrimmed(said)
    if code == "ResourceNotFoundException":
        return ShardGone(said)
    if code in _THROTTLED:
        return Throttled(said, "More than two readers on one shard are throttled by AWS.")
    if code in _DENIED or status in (401, 403):
        return _denied(operation, code, message, said)
    if status >= 500 or status == 429:
        return SourceUnavailable(said)
    return SourceRefused(said, "See the message of the service.")


def _denied(operation: str, code: str, message: str, said: str) -> SourceError:
    if "scoped to a valid region" in message or "scoped to correct region" in message:
        return SourceRefused(
            said, "The region does not fit the endpoint: correct one of them.", kind="wrong-region"
        )
    if named := denied_call(message):
        action, resource = named
        resource = resource or "the table's stream"
        fix = f"Allow {action} on {resource} in the IAM policy (README, least policy)."
    elif code == "AccessDeniedException":
        fix = f"Allow dynamodb:{operation} in the IAM policy (README, least policy)."
    else:
        fix = "The credentials are wrong or have expired: check boto3's credential chain."
    return SourceRefused(said, fix, kind="access-denied")


def _code_and_message(body: bytes) -> tuple[str, str]:
    try:
        answer = json.loads(body)
    except ValueError:
        return "", body[:200].decode(errors="replace")
    if not isinstance(answer, dict):
        return "", ""
    code = str(answer.get("__type") or answer.get("code") or "").rpartition("#")[2]
    return code, str(answer.get("message") or answer.get("Message") or "")
