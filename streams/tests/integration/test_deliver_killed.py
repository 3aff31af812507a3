"""A process that sends is killed with a delivery on its way: another one sends it again."""

import os
import subprocess
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F

from conftest import ROOT, wait_for
from streams.models import Delivery, Destination
from streams.stages.deliver import CLAIM_SECONDS, deliver_due
from streams.testing.receivers import http_receiver

_SENDER = "import django; django.setup(); from streams.stages import deliver; deliver.deliver_due()"


@pytest.mark.django_db(transaction=True)
def test_another_process_takes_up_what_a_killed_one_was_sending() -> None:
    with http_receiver() as receiver:
        receiver.way = "hang"
        ops = Destination.objects.create(name="Ops", kind="webhook", options=receiver.options())
        message = {"subject": "s", "text": "t", "facts": {"reason": "opened", "alerts": []}}
        made = Delivery.objects.create(destination=ops, reason="opened", message=message)
        database = urlsplit(os.environ["DATABASE_URL"])
        name = connection.settings_dict["NAME"]
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "DELTAWATCH_SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": database._replace(path=f"/{name}").geturl(),
        }
        sender = subprocess.Popen([sys.executable, "-c", _SENDER], cwd=ROOT, env=environment)
        wait_for(receiver.keys, seconds=60, what="the first try")
        assert deliver_due() == 0  # it is alive, and delivers alone
        sender.kill()
        sender.wait()
        assert Delivery.objects.get().state == "sending"
        assert deliver_due() == 0  # its claim is not over
        Delivery.objects.update(due_at=F("due_at") - timedelta(seconds=CLAIM_SECONDS))

        receiver.way = "take"
        wait_for(deliver_due, what="the server to notice that the lock's holder is gone")
        assert receiver.keys() == [str(made.key)] * 2
        made.refresh_from_db()
        assert (made.state, made.tries) == ("sent", 2)
