"""A Postgres of its own for a benchmark, started from the wheel and thrown away afterwards."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


@contextmanager
def fresh_database() -> Iterator[None]:
    """Services with the tables made, and Django ready; or those of DATABASE_URL and REDIS_URL."""
    state = ROOT / ".deltawatch-test"
    state.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="benchmark-", dir=state))
    os.environ |= {
        "DELTAWATCH_HOME": str(home),
        "DELTAWATCH_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
    }
    from dashboard.launch.home import Home
    from dashboard.launch.postgres import EmbeddedPostgres
    from dashboard.launch.services import Services
    from dashboard.launch.valkey import EmbeddedValkey

    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    place = Home(home)
    place.open()
    services = Services(place)
    postgres, valkey = EmbeddedPostgres(place, say), EmbeddedValkey(place)
    services.start([postgres, valkey])
    os.environ |= {"DATABASE_URL": postgres.url(), "REDIS_URL": valkey.url()}
    try:
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        services.stop()
        shutil.rmtree(home, ignore_errors=True)
