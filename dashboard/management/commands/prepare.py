"""`manage.py prepare`: bring database, static files and the first log-in to this version.

`manage.py up` runs it at every start, docker compose as the one-shot the others wait for.
"""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from dashboard import env
from dashboard.launch.first_admin import make_first_admin


class Command(BaseCommand):
    help = "Migrate the database, collect the static files, make the first user."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=1, stdout=self.stdout)
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer: {str(error).strip()} "
                "Look at DATABASE_URL and whether that PostgreSQL runs."
            ) from error
        call_command(
            "collectstatic", interactive=False, verbosity=0, stdout=self.stdout,
            # django-htmx's extensions, for another htmx: they import a name, not a file, which
            # hashed file names cannot follow.
            ignore_patterns=["ext"],
        )  # fmt: skip
        make_first_admin(env.HOME / "admin.txt")
