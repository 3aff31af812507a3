"""The user PostgreSQL runs as when root starts Deltawatch: PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dashboard.launch.home import CannotStart, Say

NAME = "deltawatch"

# POSIX access lists as the kernel keeps them: a version, then (tag, permissions, id) each.
_ACL = "system.posix_acl_access"
_VERSION = 2
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_PASS = 0o1  # the right to pass through a folder, not to list or read it


@dataclass(frozen=True)
class SystemUser:
    name: str
    uid: int
    gid: int


def for_postgres(data: Path) -> SystemUser | None:
    """None: run it as whoever we are. As root: the data's owner, else a user made for it."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return _entry(data.stat().st_uid)
    try:
        return _entry(NAME)
    except KeyError:
        _create()
        return _entry(NAME)


def _entry(who: int | str) -> SystemUser:
    found = pwd.getpwuid(who) if isinstance(who, int) else pwd.getpwnam(who)
    return SystemUser(found.pw_name, found.pw_uid, found.pw_gid)


def _create() -> None:
    useradd, adduser = shutil.which("useradd"), shutil.which("adduser")
    if useradd:
        command = [useradd, "--system", "--no-create-home", "--shell", "/bin/false", NAME]
    elif adduser:  # Alpine has only this one
        command = [adduser, "-S", "-H", "-D", NAME]
    else:
        raise CannotStart(
            "PostgreSQL refuses to run as root, and there is no useradd to make a user for it. "
            "Start Deltawatch as an ordinary user, or set DATABASE_URL."
        )
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode:
        raise CannotStart(
            f"PostgreSQL refuses to run as root, and a user for it could not be made: "
            f"{made.stderr.strip()}. Start Deltawatch as an ordinary user, or set DATABASE_URL."
        )


def let_pass(user: SystemUser, path: Path, say: Say) -> None:
    """Let this one user through every closed folder above the path.

    /root and what mktemp makes are closed to others. An access list opens the way for one user;
    `chmod o+x` would open it for all.
    """
    for folder in reversed(path.resolve().parents):
        if _may_pass(user, folder):
            continue
        try:
            os.setxattr(folder, _ACL, _with_pass(folder, user.uid))
        except (AttributeError, OSError) as error:
            raise CannotStart(
                f"PostgreSQL refuses to run as root, and its user {user.name} may not pass through "
                f"{folder}. Start Deltawatch as an ordinary user, move it to another folder, "
                f"allow it with `chmod o+x {folder}`, or set DATABASE_URL."
            ) from error
        say(f"PostgreSQL's user {user.name} may now pass through {folder} (it cannot list it).")


def _may_pass(user: SystemUser, folder: Path) -> bool:
    status = folder.stat()
    entries = _entries(folder)
    mine = [rights for tag, rights, who in entries if (tag, who) == (_USER, user.uid)]
    if status.st_uid == user.uid:
        rights = status.st_mode >> 6
    elif mine:
        # A chmod after the entry was made may have taken it back: it changes the mask.
        rights = mine[0] & next(mask for tag, mask, _ in entries if tag == _MASK)
    elif status.st_gid == user.gid:
        rights = status.st_mode >> 3
    else:
        rights = status.st_mode
    return bool(rights & _PASS)


def _entries(folder: Path) -> list[tuple[int, int, int]]:
    try:
        raw = os.getxattr(folder, _ACL)
    except (AttributeError, OSError):  # no list there, or a system that has none (macOS)
        return []
    return [struct.unpack_from("<HHI", raw, at) for at in range(4, len(raw), 8)]


def _with_pass(folder: Path, uid: int) -> bytes:
    """The folder's access list with one more entry: this user may pass."""
    mode = folder.stat().st_mode
    entries = _entries(folder) or [
        (_OWNER, mode >> 6 & 7, _NOBODY),
        (_GROUP, mode >> 3 & 7, _NOBODY),
        (_OTHER, mode & 7, _NOBODY),
    ]
    kept = [entry for entry in entries if entry[0] != _MASK and entry[::2] != (_USER, uid)]
    mask = next((rights for tag, rights, _ in entries if tag == _MASK), mode >> 3 & 7)
    kept += [(_USER, _PASS, uid), (_MASK, mask | _PASS, _NOBODY)]
    kept.sort(key=lambda entry: (entry[0], entry[2]))  # the kernel insists on this order
    return struct.pack("<I", _VERSION) + b"".join(struct.pack("<HHI", *entry) for entry in kept)
