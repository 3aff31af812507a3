"""The tables. Changes themselves are no Django model: `stages/store.py` writes them by COPY and
`queries/` reads them by SQL; their table is made in a migration, its parts by `partitions.py`."""

from streams.models.alert import Alert, AlertEvent, Match
from streams.models.batch import Batch, FeedHead
from streams.models.delivery import Attempt, Delivery
from streams.models.destination import Destination
from streams.models.drop import Cut, Drop, Remainder
from streams.models.edit import Edit
from streams.models.gap import Gap
from streams.models.minute import Minute, RollHead
from streams.models.poller import Heartbeat, Poller
from streams.models.problem import PoisonRecord, Problem, ProblemEvent
from streams.models.quiet import MaintenanceWindow, Mute
from streams.models.rule import Rule, RuleHead, RuleState, RuleVersion, Sighting
from streams.models.saved_view import SavedView
from streams.models.shard import Shard
from streams.models.stream import Stream

__all__ = [
    "Alert",
    "AlertEvent",
    "Attempt",
    "Batch",
    "Cut",
    "Delivery",
    "Destination",
    "Drop",
    "Edit",
    "FeedHead",
    "Gap",
    "Heartbeat",
    "MaintenanceWindow",
    "Match",
    "Minute",
    "Mute",
    "PoisonRecord",
    "Poller",
    "Problem",
    "ProblemEvent",
    "Remainder",
    "RollHead",
    "Rule",
    "RuleHead",
    "RuleState",
    "RuleVersion",
    "SavedView",
    "Shard",
    "Sighting",
    "Stream",
]
