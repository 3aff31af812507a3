"""Errors as AWS answers them: a code in `__type`, a message, and an HTTP status."""

import json

_DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
_VALIDATE = "com.amazon.coral.validate#"
_SERVICE = "com.amazon.coral.service#"


class Refused(Exception):
    """A call that is answered with an error instead of a result."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status

    def body(self) -> bytes:
        # AWS spells the name of the message in two ways, depending on the layer that refuses.
        name = "Message" if self.code.startswith(_SERVICE) else "message"
        return json.dumps({"__type": self.code, name: self.message}).encode()


def invalid(message: str) -> Refused:
    return Refused(f"{_VALIDATE}ValidationException", message)


def not_found(what: str) -> Refused:
    message = f"Requested resource not found: {what} not found"
    return Refused(f"{_DYNAMODB}ResourceNotFoundException", message)


def trimmed() -> Refused:
    return Refused(
        f"{_DYNAMODB}TrimmedDataAccessException",
        "The operation attempted to read past the oldest stream record in a shard.",
    )


def expired(age: float) -> Refused:
    return Refused(
        f"{_DYNAMODB}ExpiredIteratorException",
        f"The shard iterator was given {age:.0f} seconds ago; it is valid for 15 minutes.",
    )


def limit_exceeded(message: str = "Too many operations for a given subscriber") -> Refused:
    return Refused(f"{_DYNAMODB}LimitExceededException", message)


def throughput_exceeded() -> Refused:
    return Refused(
        f"{_DYNAMODB}ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the stream was exceeded.",
    )


def throttling() -> Refused:
    return Refused(f"{_SERVICE}ThrottlingException", "Rate exceeded")


def internal() -> Refused:
    return Refused(f"{_DYNAMODB}InternalServerError", "Internal server error", 500)


def denied(operation: str, resource: str) -> Refused:
    return Refused(
        f"{_SERVICE}AccessDeniedException",
        f"User: arn:aws:iam::123456789012:user/reader is not authorized to perform: "
        f"dynamodb:{operation} on resource: {resource} because no identity-based policy allows "
        f"the dynamodb:{operation} action",
    )


def wrong_region() -> Refused:
    return Refused(
        f"{_SERVICE}InvalidSignatureException", "Credential should be scoped to a valid region."
    )


def bad_signature() -> Refused:
    return Refused(
        f"{_SERVICE}InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method.",
    )


def unknown_key() -> Refused:
    return Refused(
        f"{_SERVICE}UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def token_expired() -> Refused:
    return Refused(
        f"{_SERVICE}ExpiredTokenException",
        "The security token included in the request is expired",
    )


def unsigned() -> Refused:
    return Refused(
        f"{_SERVICE}MissingAuthenticationTokenException",
        "Request must contain either a valid (registered) AWS access key ID or X.509 certificate.",
    )


def unknown_operation() -> Refused:
    return Refused(f"{_SERVICE}UnknownOperationException", "")


def unreadable_request() -> Refused:
    return Refused(f"{_SERVICE}SerializationException", "The request is no JSON object.")
