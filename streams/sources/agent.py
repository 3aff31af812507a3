"""The name under which this installation calls its sources, so that their logs (CloudTrail, say)
tell the readers of a stream apart."""

_PRODUCT = "deltawatch/0.1"
_consumer = "deltawatch"


def name_consumer(name: str) -> None:
    """Set once, when the settings are known: sources know no settings."""
    global _consumer
    _consumer = name


def user_agent() -> str:
    return f"{_PRODUCT} consumer/{_consumer}"
