"""`manage.py up [--demo]`: start Deltawatch on this machine and keep it running."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dashboard import env
from dashboard.launch.home import CannotStart, Home
from dashboard.launch.launcher import Launcher


class Command(BaseCommand):
    help = "Start PostgreSQL, Valkey, the web server and the workers on this machine."
    requires_system_checks: list[str] = []  # the services they ask for are not running yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="with a sample shop to watch")
        parser.add_argument("--port", type=int, default=env.number("PORT", 8000))

    def handle(self, *args: Any, **options: Any) -> None:
        launcher = Launcher(Home(env.HOME), options["port"], options["demo"], self._say)
        try:
            code = launcher.run()
        except CannotStart as error:
            self.stderr.write(f"{error}")
            code = 1
        sys.exit(code)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
