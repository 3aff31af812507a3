"""Evidence, an item's life at a glance, and keys that are near to one that is not stored."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from streams.change import moment
from streams.models import Batch, Gap
from streams.queries import evidence as evidence_module
from streams.queries.evidence import evidence
from streams.queries.history import place_before, versions
from streams.queries.life import BINS, life
from streams.queries.near_keys import near_keys
from streams.queries.rows import StoredChange
from streams.queries.spelled import line, spelled
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.lives import BEGIN, KEY, Life, live
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)

STEPS: list[tuple[int, Any]] = [(n, {**KEY, "n": {"N": str(n)}}) for n in range(6)]


def rows(found: Life) -> list[StoredChange]:
    return [v.change for v in versions(found.stream, found.item).versions][::-1]


def test_evidence_names_the_ledger_and_the_digests() -> None:
    found = live("NEW_AND_OLD_IMAGES", STEPS)
    changes = rows(found)
    shown = evidence(found.stream, changes[1], changes[4])
    lines = [line(spelled(change)).encode() for change in changes[1:5]]
    assert [entry.id for entry in shown.entries] == [change.id for change in changes[1:5]]
    assert [entry.sha256 for entry in shown.entries] == [sha256(text).hexdigest() for text in lines]
    assert shown.sha256 == sha256(b"".join(text + b"\n" for text in lines)).hexdigest()
    batch = Batch.objects.get()
    assert {(e.number, e.digest) for e in shown.entries} == {(1, bytes(batch.digest).hex())}
    assert (shown.complete, shown.gaps) == (True, [])


def test_evidence_of_one_version_with_a_gap() -> None:
    found = live("NEW_AND_OLD_IMAGES", STEPS)
    at = rows(found)[2].occurred_at
    gap = Gap.objects.create(stream=found.stream, reason="trimmed", from_at=None, to_at=at)
    shown = evidence(found.stream, rows(found)[2], rows(found)[2])
    assert (len(shown.entries), shown.gaps) == (1, [gap])


def test_evidence_says_when_it_does_not_hold_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_module, "MOST", 3)
    found = live("NEW_AND_OLD_IMAGES", STEPS)
    shown = evidence(found.stream, rows(found)[0], rows(found)[-1])
    assert (len(shown.entries), shown.complete) == (3, False)


def test_a_life_counts_every_version_once() -> None:
    found = live("NEW_AND_OLD_IMAGES", [*STEPS, (1, None)])
    seen = life(found.stream.pk, found.item)
    assert seen is not None and len(seen.bins) == BINS
    assert (seen.number, seen.whole, sum(one.total for one in seen.bins)) == (7, True, 7)
    assert (seen.begin, seen.end) == (moment(BEGIN), moment(BEGIN) + timedelta(seconds=16))
    assert seen.bins[0].counts == {"INSERT": 1} and seen.bins[-1].counts == {"REMOVE": 1}


def test_a_life_of_one_version() -> None:
    found = live("NEW_AND_OLD_IMAGES", STEPS[:1])
    seen = life(found.stream.pk, found.item)
    assert seen is not None and seen.begin == seen.end and seen.bins[0].total == 1
    assert life(found.stream.pk, live("NEW_IMAGE", []).item) is None


@pytest.mark.parametrize(("second", "newest"), [(-1, 0), (0, 0), (1.5, 1), (5.9, 2), (99, 5)])
def test_jumping_to_a_moment_shows_what_was_newest_then(second: float, newest: int) -> None:
    found = live("NEW_AND_OLD_IMAGES", STEPS)
    changes = rows(found)
    place = place_before(found.stream.pk, found.item, moment(BEGIN) + timedelta(seconds=second))
    page = versions(found.stream, found.item, before=place)
    assert changes.index(page.versions[0].change) == newest


def test_near_keys_share_the_beginning() -> None:
    stream = make_stream()
    keys = ["ORD#11", "ORD#12", "ORD#1200", "ORD#9", "USER#1"]
    store_in(
        make_shard(stream),
        *[make_change(stream.pk, n, key=key) for n, key in enumerate(keys, 1)],
    )
    found = [near["pk"]["S"] for near in near_keys(stream, {"pk": {"S": "ORD#13"}})]
    assert set(found) == {"ORD#11", "ORD#12", "ORD#1200", "ORD#9"}
    assert found[-1] == "ORD#9"
    assert near_keys(stream, {"pk": {"S": ""}}) == near_keys(stream, {"pk": {"N": "7"}}) == []
