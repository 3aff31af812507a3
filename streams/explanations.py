"""What each kind of problem means, and what to do about it: for the pages and the API.

Plain Python. A test holds this list against the kinds that the code reports.
"""

import re
from dataclasses import dataclass

INGEST, DECODE, SYSTEM = "ingest", "decode", "system"
TABS = (INGEST, DECODE, SYSTEM)


@dataclass(frozen=True)
class Explanation:
    """`loss` says what is lost, or that nothing is; `over` how the problem ends. `gap` is the
    reason of the gaps that the problem goes with, "" if it makes none."""

    title: str
    tab: str
    meaning: str
    loss: str
    next: str
    over: str
    gap: str = ""


_KEPT = (
    "Nothing is lost yet: DynamoDB keeps every record for 24 hours, and reading goes on from the "
    "stored position. The overview shows how much time is left."
)
_BY_ITSELF = "It is resolved by itself with the next successful read."
_BY_LISTING = "It is resolved by itself when the shards can be listed again."
_BY_HAND = "Nothing more happens to it: resolve it by hand once you have taken note."

EXPLANATIONS: dict[str, Explanation] = {
    "access-denied": Explanation(
        "Access denied",
        INGEST,
        "AWS refused a call. The credentials lack a permission, are wrong, or have expired.",
        _KEPT,
        "Give the missing permission: the least policy for this table is below. If no action is "
        "named, check the credentials themselves, and that the role may be assumed.",
        _BY_ITSELF,
    ),
    "crash": Explanation(
        "A reader crashed",
        SYSTEM,
        "Our own code met something that it did not expect while it read a shard.",
        "Nothing is stored wrongly and nothing is skipped: the shard is read again from its "
        "position.",
        "Please report it with the sentence above; the worker's log has the place.",
        _BY_ITSELF,
    ),
    "iterator-expired": Explanation(
        "Iterator expired",
        INGEST,
        "A place to read from was too old: AWS keeps one for 15 minutes. A new one from the stored "
        "position did not help at once.",
        "Nothing is lost by this: the position is stored with the changes.",
        "Usually nothing. If it stays, workers are so slow or so few that a shard waits for "
        "15 minutes: start more of them.",
        _BY_ITSELF,
    ),
    "lease-taken": Explanation(
        "Somebody else takes the leases",
        SYSTEM,
        "Something that is no poller of this installation leases shards in this database and does "
        "not read them, so our pollers cannot.",
        _KEPT,
        "Find what else works on this database: another installation, a copy of it, a script. Stop "
        "it. A poller that was killed frees its leases after ten seconds.",
        "It is resolved by itself when nobody holds such a lease any more.",
    ),
    "loss-near": Explanation(
        "Unread changes will be lost",
        INGEST,
        "Changes have been waiting unread for many hours. DynamoDB deletes records 24 hours after "
        "they were written, read or not.",
        "Nothing yet. At the named moment the oldest unread changes begin to disappear.",
        "Mend what keeps the stream from being read: resume it if it is paused, start workers, or "
        "see its other problems.",
        "It is resolved by itself when less than an hour is unread.",
        gap="unread",
    ),
    "options": Explanation(
        "The stream's options are wrong",
        INGEST,
        "The table, region, endpoint or role of this stream is written in a way that cannot work.",
        _KEPT,
        "Correct the stream's options; they are checked with AWS before they are saved.",
        _BY_ITSELF,
    ),
    "poison-record": Explanation(
        "Records that cannot be read",
        DECODE,
        "A record came that is no change as DynamoDB describes one, or that Postgres cannot hold. "
        "It was put aside with all its bytes, and its shard went on.",
        "Nothing is lost while it lies here, but the history of its item lacks one change.",
        "Look at the bytes and at what is said about them. Retry when a newer version may read "
        "them; skip, with a reason, to give the change up: that makes a gap of one.",
        "It is resolved when its last record is stored or skipped.",
        gap="skipped",
    ),
    "refused": Explanation(
        "AWS refuses the call",
        INGEST,
        "AWS answered that it will not do this call, for a reason that Deltawatch does not know.",
        _KEPT,
        "The sentence has the service's own words: they say what to mend.",
        _BY_ITSELF,
    ),
    "shard-gone": Explanation(
        "A shard is not known any more",
        INGEST,
        "AWS does not know a shard, or a stream, that it listed before. This happens for a moment "
        "after a shard has ended, and for good after 24 hours or when the table is deleted.",
        "Nothing by this alone. If the shard really went unread, another problem and a gap say so.",
        "Usually nothing: the shards are listed again at once.",
        _BY_ITSELF,
    ),
    "shard-lost": Explanation(
        "A shard went unread",
        INGEST,
        "A shard disappeared from AWS before it was read to its end, because nothing read it for "
        "longer than AWS keeps its records.",
        "Changes of this shard may be missing. The gap says from when to when.",
        "Write down why nothing was read. What the changes were is not in the stream any more; a "
        "point-in-time export of the table shows the items as they were.",
        _BY_HAND,
        gap="shard-lost",
    ),
    "source-error": Explanation(
        "The source failed",
        INGEST,
        "The source did not do what was asked, and gave no better reason than the sentence above.",
        _KEPT,
        "It is tried again every few seconds. See the sentence, and the worker's log.",
        _BY_ITSELF,
    ),
    "stream-off": Explanation(
        "The table's stream is off",
        INGEST,
        "The table has no change stream that is on. What is left of the old one is still read.",
        "Writes to the table go into no stream while it is off: they will be a gap.",
        "Turn the stream on; the command is above. Deltawatch finds the new one by itself.",
        _BY_LISTING,
        gap="new-stream",
    ),
    "stream-replaced": Explanation(
        "The table has a new stream",
        INGEST,
        "The stream was switched off and on again, or the table was made anew: it has another ARN. "
        "The old one was read to its end first.",
        "Writes between the two streams are in neither of them. The gap says from when to when.",
        "Find out who switched it off. A point-in-time export shows the items as they were.",
        _BY_HAND,
        gap="new-stream",
    ),
    "table-missing": Explanation(
        "The table is not there",
        INGEST,
        "AWS knows no table of this name in this account and region.",
        "If it was deleted, its stream can be read for another 24 hours, and is. Otherwise nothing "
        "is lost yet.",
        "Check the name, the region and the account of the credentials.",
        _BY_LISTING,
    ),
    "throttled": Explanation(
        "Reading is throttled",
        INGEST,
        "AWS answered that there were too many calls. DynamoDB lets two readers share a shard, and "
        "Deltawatch asks each shard at most four times a second.",
        _KEPT,
        "A few are normal. If it goes on, find who else reads the stream: Lambda triggers, a "
        "second Deltawatch, applications with the Kinesis adapter.",
        _BY_ITSELF,
    ),
    "too-many-readers": Explanation(
        "Too many readers on a shard",
        INGEST,
        "A shard is throttled although Deltawatch keeps to its pace, so more than two readers "
        "share it. All of them become slow.",
        _KEPT,
        "Switch off the reader that is not needed, or let one hand the changes on to the others. "
        "Known Lambda triggers are named above.",
        "It is resolved by itself after 30 seconds of reading without throttling.",
    ),
    "trimmed": Explanation(
        "Records were deleted before they were read",
        INGEST,
        "The records after the stored position were older than 24 hours, and AWS had deleted "
        "them. Reading goes on from the oldest that is left.",
        "The changes of that range are lost. The gap says from when to when.",
        "Write down why nothing was read for so long, and start enough workers.",
        _BY_ITSELF,
        gap="trimmed",
    ),
    "unreachable": Explanation(
        "The source does not answer",
        INGEST,
        "There was no answer in time, none at all, or one that no AWS service would give.",
        _KEPT,
        "Check the network between this machine and the endpoint, and the endpoint's address. It "
        "is tried again every few seconds.",
        _BY_ITSELF,
    ),
    "unread": Explanation(
        "Changes may be missing",
        INGEST,
        "Nothing was read for longer than AWS keeps records. What was written before may be gone.",
        "More may be lost with every minute, until the stream is read again. The gap grows until "
        "then, or says that AWS had kept everything after all.",
        "Mend what keeps the stream from being read: see its other problems and the overview.",
        "It is resolved by itself when no gap of the stream grows any more.",
        gap="unread",
    ),
    "wrong-region": Explanation(
        "Wrong region",
        INGEST,
        "The region does not fit: it has no such table, or the endpoint belongs to another one.",
        _KEPT,
        "Correct the stream's region; the sentence says where the table is, if that is known.",
        _BY_ITSELF,
    ),
}

_DENIED = re.compile(r"not authorized to perform:?\s+(\S+)(?:\s+on resource:?\s+(\S+))?")


def explain(kind: str) -> Explanation:
    """The explanation of a kind; a problem from before an upgrade may have one of no use now."""
    return EXPLANATIONS.get(kind) or Explanation(
        kind,
        SYSTEM,
        "This kind of problem was reported by another version of Deltawatch.",
        "Not known.",
        "See the sentence above.",
        _BY_HAND,
    )


def kinds_of(tab: str) -> list[str]:
    return [kind for kind, explanation in EXPLANATIONS.items() if explanation.tab == tab]


def denied_call(sentence: str) -> tuple[str, str] | None:
    """The IAM action and the ARN that a refusal names, "" for no ARN; None if it names none."""
    match = _DENIED.search(sentence)
    return (match[1].rstrip("."), (match[2] or "").rstrip(".")) if match else None
