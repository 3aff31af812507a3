#!/usr/bin/env python
"""Deltawatch's command line: `python manage.py help` lists the commands."""

import os
import sys

from django.core.management import execute_from_command_line

from dashboard.env import EnvError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    try:
        execute_from_command_line(sys.argv)
    except EnvError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
