"""What beat runs, and why that often."""

from datetime import timedelta
from typing import Any

# The tick revives pollers, asks for listings that are due and numbers what a killed poller left.
# A poller that died is missed for at most its seat's lease (10 s) plus one tick.
TICK = timedelta(seconds=3)
# Matches become alerts at most so much later; with nothing to do it costs a few small queries.
EVALUATE = timedelta(seconds=1)
# Leaves are made a day or a week ahead and dropped by the day, so a minute is often enough; it is
# also how soon a drop that somebody's long read held up is tried again.
RETAIN = timedelta(minutes=1)

SCHEDULE: dict[str, dict[str, Any]] = {
    "tick": {
        "task": "streams.tick",
        "schedule": TICK,
        # A tick that waited longer than the next one has nothing left to do.
        "options": {"expires": TICK.total_seconds() * 3},
    },
    "evaluate": {
        "task": "streams.evaluate",
        "schedule": EVALUATE,
        "options": {"expires": EVALUATE.total_seconds() * 3},
    },
    "retain": {
        "task": "streams.retain",
        "schedule": RETAIN,
        "options": {"expires": RETAIN.total_seconds()},
    },
}
