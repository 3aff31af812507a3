"""Logging: one line an event, and no secret in any of them.

Secrets could reach a log inside a URL (`postgres://user:password@…`), an AWS key or a signed
header, mostly through the text of somebody else's exception; so the mask works on the finished
line, whoever wrote it.
"""

import logging.config
import re
from contextvars import ContextVar

_SECRETS = (
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@]+@"), r"\1:***@"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), "***"),
    (re.compile(r"(Signature=)[0-9a-f]{16,}"), r"\1***"),
    (
        re.compile(
            r"(?i)\b((?:aws_)?(?:secret(?:_access)?_key|session_token|password|passwd|secret)"
            r"[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&)]+"
        ),
        r"\1***",
    ),
)


# The id of the request that is being answered, "" outside of one (request_id.py).
request_id: ContextVar[str] = ContextVar("request_id", default="")


def mask(line: str) -> str:
    """The line with passwords, AWS keys and signatures replaced by ***."""
    for pattern, replacement in _SECRETS:
        line = pattern.sub(replacement, line)
    return line


class MaskingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


class WithRequestId(logging.Filter):
    """Gives each record the id of its request, spelled for the line."""

    def filter(self, record: logging.LogRecord) -> bool:
        name = request_id.get()
        record.request_id = f" [{name}]" if name else ""
        return True


class WithoutHealthProbes(logging.Filter):
    """Django calls every 503 an error; of /healthz it is the answer to a question."""

    def filter(self, record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path", "")
        return path != "/healthz"


def configure(level: str) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": MaskingFormatter,
                    "format": "%(asctime)s %(levelname)s %(name)s%(request_id)s: %(message)s",
                }
            },
            "filters": {
                "probes": {"()": WithoutHealthProbes},
                "request": {"()": WithRequestId},
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": "line",
                    "filters": ["request"],
                }
            },
            "root": {"handlers": ["stderr"], "level": level.upper()},
            "loggers": {
                # Each writes a line per request or task at INFO; ours say what matters.
                "django.request": {"filters": ["probes"]},
                "botocore": {"level": "WARNING"},
                "urllib3": {"level": "WARNING"},
                "celery": {"level": "WARNING"},
                "kombu": {"level": "WARNING"},
                "uvicorn.access": {"level": "WARNING"},
            },
        }
    )
