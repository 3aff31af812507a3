"""The first log-in: made once, with a random password that is kept for its owner to read."""

import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from dashboard.launch.home import write_private

NAME = "admin"


def make_first_admin(note: Path) -> None:
    """Make the user when there is none at all, and keep the note only while it is true."""
    users = get_user_model()
    if not users.objects.exists():
        password = secrets.token_urlsafe(12)
        # The note first: a user whose password nobody knows would be worse than a note too early.
        write_private(note, f"{NAME}\n{password}\n")
        users.objects.create_superuser(NAME, password=password)
    elif note.exists() and not _is_true(note):
        note.unlink()


def _is_true(note: Path) -> bool:
    words = note.read_text().split()
    user = get_user_model().objects.filter(username=words[0] if words else "").first()
    return isinstance(user, User) and len(words) == 2 and user.check_password(words[1])
