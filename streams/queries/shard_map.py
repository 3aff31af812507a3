"""A stream's shards as what they are: trees of parents and their children, the newest ARN first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streams.queries.glance import BLOCKED, DRAINING, LAGGING, OK, PAUSED, WAITING
from streams.queries.shards import ShardStatus

LOST, ENDED = "X", "E"
_LETTERS = {
    "healthy": OK,
    "idle": OK,
    "behind": LAGGING,
    "blocked": BLOCKED,
    "stalled": BLOCKED,
    "losing": LOST,
    "lost": LOST,
    "paused": PAUSED,
    "starting": WAITING,
    "waiting": WAITING,
    "ended": ENDED,
}
WORDS = {
    LOST: "losing or lost",
    BLOCKED: "blocked",
    LAGGING: "lagging",
    PAUSED: "paused",
    WAITING: "waiting",
    DRAINING: "draining a closed shard",
    OK: "ok",
    ENDED: "ended",
}


@dataclass(frozen=True)
class Node:
    """A shard in its place: `depth` 0 is a root, `children` how many it has in the map; `letter`
    says its state in one letter, `words` in words."""

    shard: ShardStatus
    depth: int
    children: int
    letter: str

    @property
    def words(self) -> str:
        return WORDS[self.letter]


def shard_map(shards: Sequence[ShardStatus]) -> list[Node]:
    """Each shard after its parent, and before the next tree. A shard whose parent is not among
    these is a root."""
    names = {(shard.arn, shard.name) for shard in shards}
    children: dict[tuple[str, str], list[ShardStatus]] = {}
    roots = []
    for shard in shards:
        parent = (shard.arn, shard.parent)
        if shard.parent and parent in names:
            children.setdefault(parent, []).append(shard)
        else:
            roots.append(shard)
    ordered = sorted(roots, key=lambda shard: (-shard.generation, shard.name))
    return list(_walk(ordered, children))


def _walk(
    roots: list[ShardStatus], children: dict[tuple[str, str], list[ShardStatus]]
) -> Iterator[Node]:
    """A lineage may be longer than Python's stack, since a shard lives for hours only."""
    waiting = [(root, 0) for root in reversed(roots)]
    while waiting:
        shard, depth = waiting.pop()
        below = sorted(children.get((shard.arn, shard.name), []), key=lambda child: child.name)
        yield Node(shard, depth, len(below), letter_of(shard))
        waiting += [(child, depth + 1) for child in reversed(below)]


def letter_of(shard: ShardStatus) -> str:
    draining = shard.closed and shard.state in ("healthy", "idle", "behind")
    return DRAINING if draining else _LETTERS[shard.state]


def counted(nodes: Sequence[Node]) -> list[tuple[str, str, int]]:
    """(letter, words, shards) of each state there is, the worst first."""
    letters = [node.letter for node in nodes]
    return [
        (letter, words, letters.count(letter))
        for letter, words in WORDS.items()
        if letter in letters
    ]
