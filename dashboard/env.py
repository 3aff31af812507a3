"""Every environment variable Deltawatch reads, typed, in one place.

The services' addresses come from the environment first and then from `services.json`, which
`manage.py up` writes into the state folder: so a command typed in another shell finds the
database of a running `make demo` without any configuration.
"""

import json
import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent


class EnvError(ValueError):
    """A setting has a value that cannot be used; the message says what to write instead."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value:
        raise EnvError(f"{name}={value!r} is neither true nor false. Use 1 or 0.")
    return default


def number(name: str, default: int, *, least: int = 1) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or int(value) < least:
        raise EnvError(f"{name}={value!r} must be a whole number of at least {least}.")
    return int(value)


def words(name: str) -> list[str]:
    return [word.strip() for word in text(name).split(",") if word.strip()]


def label(name: str) -> str:
    """A few words for people, short enough for a page's top bar."""
    value = text(name)
    if len(value) > 24 or not value.isprintable():
        raise EnvError(f"{name}={value!r} must be a name of at most 24 letters, as in production.")
    return value


def consumer(name: str, default: str) -> str:
    """A short name: lower-case letters, digits and dashes, beginning with a letter."""
    value = text(name, default)
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", value):
        raise EnvError(
            f"{name}={value!r} must be up to 32 lower-case letters, digits and dashes, and begin "
            "with a letter."
        )
    return value


HOME = Path(text("DELTAWATCH_HOME", str(BASE_DIR / ".deltawatch"))).expanduser().resolve()


def service(name: str, key: str) -> str:
    """A service's URL from the environment, else from the running launcher's file, else ""."""
    if url := text(name):
        return url
    try:
        services = json.loads((HOME / "services.json").read_text())
    except (OSError, ValueError):
        return ""
    return str(services.get(key) or "")


def database(url: str) -> dict[str, object]:
    """Django's DATABASES entry for a `postgres://user:password@host:port/name?option=…` URL."""
    parts = urlsplit(url or "postgres://127.0.0.1:5432/deltawatch")
    if parts.scheme not in ("postgres", "postgresql"):
        raise EnvError(
            f"DATABASE_URL starts with {parts.scheme!r}: only PostgreSQL is supported. "
            "Write postgres://USER:PASSWORD@HOST:PORT/NAME."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "deltawatch",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


class MailServer(NamedTuple):
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


# How the connection is secured, and the port that is usual for it.
_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mail_server(name: str) -> MailServer:
    """The SMTP server of `smtp+tls://user:password@mail.example.com`; none if it is not set.

    A password never travels unencrypted, but to this machine itself.
    """
    if not text(name):
        return MailServer()
    unusable = EnvError(
        f"{name} is not usable. Write smtp+tls://USER:PASSWORD@HOST (STARTTLS, port 587), "
        "smtps://USER:PASSWORD@HOST (TLS, port 465) or smtp://HOST (unencrypted, port 25)."
    )
    try:
        parts = urlsplit(text(name))
        port = parts.port or _MAIL_PORTS.get(parts.scheme, 0)
    except ValueError:  # its text would show the password
        raise unusable from None
    if not parts.hostname or parts.scheme not in _MAIL_PORTS:
        raise unusable
    password = unquote(parts.password or "")
    near = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if password and parts.scheme == "smtp" and not near:
        raise EnvError(
            f"{name} would send its password unencrypted. Write smtp+tls:// or smtps:// instead."
        )
    return MailServer(
        parts.hostname,
        port,
        unquote(parts.username or ""),
        password,
        starttls=parts.scheme == "smtp+tls",
        tls=parts.scheme == "smtps",
    )


def mail_sender(name: str, host: str) -> str:
    """Whom mails are from: `Name <name@example.com>` or an address."""
    value = text(name, f"Deltawatch <deltawatch@{host}>")
    if "@" not in value or not value.isprintable():
        raise EnvError(f"{name}={value!r} is no address. Write one, as deltawatch@example.com.")
    return value


def secret_key() -> str:
    """The signing key: given, or made on first start and kept in the state folder (mode 0600).

    Two processes may start at once on an empty folder: creating with O_EXCL lets one win, and
    the other reads what the winner wrote.
    """
    if key := text("DELTAWATCH_SECRET_KEY"):
        return key
    path = HOME / "secret_key"
    try:
        HOME.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret_key.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)  # fails if another process was first: its key is then the key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        if not path.exists():
            raise EnvError(
                f"The secret key cannot be kept in {HOME} ({error.strerror}). Make the folder "
                "writable, or set DELTAWATCH_HOME or DELTAWATCH_SECRET_KEY."
            ) from error
    return path.read_text().strip()
