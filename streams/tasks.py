"""Celery's entry points: ids in, thin, safe to run twice or never.

The rows are the truth and the tasks only nudges: a lost task is replaced by the next tick, a
doubled one finds every seat or claim taken.
"""

import logging
import multiprocessing
import time
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_shutting_down
from django.conf import settings
from django.db import close_old_connections, connection
from django.db.utils import Error as DatabaseError
from django.db.utils import InterfaceError, InternalError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from streams.errors import SourceError
from streams.models import Rule, Stream
from streams.sources.registry import open_source
from streams.stages import discover as discovery
from streams.stages import lease, readers, retain, rule_faults
from streams.stages.deliver import deliver_due
from streams.stages.evaluate import evaluate as evaluate_waiting
from streams.stages.health import check_health
from streams.stages.make_ready import make_ready as make_rule_ready
from streams.stages.poll import Poller
from streams.stages.publish import number_batches, wake
from streams.stages.report import report_error
from streams.stages.rivals import note_rivals
from streams.stages.roll_up import roll_up
from streams.stages.watch import watch

log = logging.getLogger(__name__)

# A poll task gives its place back after this long, so that a worker can be replaced calmly.
SLICE_SECONDS = 30

# Not started within two ticks means that no process is free: then the next tick's is as good.
_TICKS = 6
# So long without a look at health means that beat is gone.
_TICKS_MISSED = timedelta(seconds=9)

# Set in the worker's main process when it begins to stop; its children inherit it by fork.
_stopping = multiprocessing.Event()


@worker_init.connect
def _forget_stop(**_: Any) -> None:
    _stopping.clear()


@worker_shutting_down.connect
def _note_stop(**_: Any) -> None:
    _stopping.set()


@shared_task(name="streams.poll")
def poll() -> None:
    """Be a poller for one slice, then queue the next one."""
    try:
        while _poll_slice() and not _stopping.is_set() and not _send(poll):
            pass  # without a broker nobody could take over: so this task just goes on
    except (OperationalError, InterfaceError, InternalError) as error:
        # The database is away, restarts, or is read-only (InternalError). What was read is read
        # again; the tick revives us.
        log.warning("The poller stops until the database is back: %s", error)
    finally:
        close_old_connections()


def _poll_slice() -> bool:
    """Poll for one slice; False if every seat was taken."""
    _stand_in_for_beat()
    ends = time.monotonic() + SLICE_SECONDS
    return Poller(lambda: _stopping.is_set() or time.monotonic() > ends, _discover_now).run()


def _stand_in_for_beat() -> None:
    """Where nothing ticks any more, that at least is told."""
    if check_health(_TICKS_MISSED):
        _send(evaluate)
        _send(deliver)


@shared_task(name="streams.discover")
def discover(stream_id: int) -> None:
    """List the shards of a stream, if that is due and nobody else does it."""
    try:
        if not discovery.claim(stream_id):
            return
        _list_shards(Stream.objects.get(pk=stream_id))
    except Stream.DoesNotExist:
        return
    except DatabaseError as error:
        log.warning("The shards were not listed: %s", error)


def _list_shards(stream: Stream) -> None:
    source = None
    try:
        source = open_source(stream.source, stream.options)
        discovery.discover(stream, source)
        readers.name_readers(stream, source)
    except SourceError as error:
        log.warning("%s: %s", stream, error.sentence)
        if source is None:  # otherwise the stage has reported it
            report_error(error, stream=stream)
    finally:
        if source:
            source.close()


@shared_task(name="streams.tick")
def tick() -> None:
    """Beat's pulse: note it, revive pollers, list what is due, number what was left, watch what is
    not read, roll up what is new, judge the streams' health, and look for rules and deliveries
    that wait."""
    try:
        _note_pulse()
        for _ in range(settings.POLLERS - lease.live_pollers()):
            poll.apply_async(expires=_TICKS)
        due = Stream.objects.filter(paused_at__isnull=True)
        for stream_id in due.values_list("pk", flat=True):
            discover.delay(stream_id)
        position = number_batches()
        if position is not None:
            wake(position)
        note_rivals()
        watch()
        roll_up()
        check_health()
        rule_faults.check()
        for rule_id in _not_ready():
            make_ready.apply_async([rule_id], expires=_TICKS)
        deliver.apply_async(expires=_TICKS)
    except (DatabaseError, BrokerError, RedisError) as error:
        log.warning("The tick was cut short: %s", error)
        close_old_connections()


@shared_task(name="streams.evaluate")
def evaluate() -> None:
    """Make alerts of the matches that wait, and send for whoever delivers."""
    try:
        if evaluate_waiting().deliveries:
            _send(deliver)
    except DatabaseError as error:
        log.warning("The matches were not evaluated: %s", error)
        close_old_connections()


@shared_task(name="streams.make_ready")
def make_ready(rule_id: int) -> None:
    """Read what came before for a rule that must know it, unless somebody does so already."""
    try:
        make_rule_ready(rule_id)
    except DatabaseError as error:
        log.warning("The rule %s was not made ready: %s", rule_id, error)
        close_old_connections()


@shared_task(name="streams.deliver")
def deliver() -> None:
    """Send what is due."""
    try:
        deliver_due()
    except DatabaseError as error:
        log.warning("Delivering was cut short: %s", error)
        close_old_connections()


@shared_task(name="streams.retain")
def retain_all() -> None:
    """Make leaves ahead, and drop what is past each stream's retention."""
    try:
        streams = list(Stream.objects.all())
    except DatabaseError as error:
        log.warning("Retention did not begin: %s", error)
        close_old_connections()
        return
    for stream in streams:
        try:
            retain.retain(stream)
        except DatabaseError as error:  # and the other streams' turn comes all the same
            log.warning("Retention of %s was cut short: %s", stream, error)
            close_old_connections()


def _not_ready() -> list[int]:
    waiting = Rule.objects.filter(ready_at__isnull=True, enabled=True)
    return list(waiting.exclude(kind=Rule.Kind.HEALTH).values_list("pk", flat=True))


def _note_pulse() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO streams_heartbeat (name, seen_at) VALUES ('beat', clock_timestamp())
               ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at"""
        )


def _discover_now(stream_id: int) -> None:
    """A shard ended or is gone: its stream is listed at once, by whoever is free."""
    discovery.make_due(stream_id)
    _send(discover, stream_id)


def _send(task: Any, *arguments: int) -> bool:
    """Queue a task; False if the broker is away."""
    try:
        task.delay(*arguments)
    except (BrokerError, RedisError, OSError) as error:
        log.info("%s was not queued (%s).", task.name, type(error).__name__)
        return False
    return True
