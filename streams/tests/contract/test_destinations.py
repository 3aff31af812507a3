"""The contract that every kind of destination keeps, each with a real receiver on this machine."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import get_args
from uuid import uuid4

import pytest
from pytest_django import Settings

from streams.destinations import email, http
from streams.destinations.base import (
    MOST_SAID,
    DestinationError,
    Message,
    Refused,
    Unreachable,
    WrongOption,
)
from streams.destinations.registry import DESTINATIONS, kind_of, open_destination
from streams.testing.receivers import Receiver, Way, http_receiver, mail_receiver

RECEIVERS: dict[str, Callable[[], AbstractContextManager[Receiver]]] = {
    "email": mail_receiver,
    "webhook": http_receiver,
}


def message(reason: str = "opened") -> Message:
    return Message(
        key=str(uuid4()),
        reason=reason,
        at=datetime(2026, 11, 22, 10, 2, 3, tzinfo=UTC),
        subject="Critical: Refunds – too many\r\nBcc: eve@example.com",
        text="5 matches.\n",
        html="<p>5 matches.</p>",
        facts={"reason": reason, "alerts": [{"id": 12}]},
    )


@pytest.fixture(params=DESTINATIONS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def receiver(kind: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver of this kind; whoever says nothing is given up soon."""
    monkeypatch.setattr(http, "WHOLE_SECONDS", 0.5)
    monkeypatch.setattr(email, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(email, "WHOLE_SECONDS", 1.0)
    with RECEIVERS[kind]() as receiver:
        if kind == "email":
            settings.EMAIL_HOST = "127.0.0.1"
            settings.EMAIL_PORT = getattr(receiver, "port", 0)
        yield receiver


def test_each_kind_has_a_receiver_here() -> None:
    assert RECEIVERS.keys() == DESTINATIONS.keys()


def test_it_says_what_the_receiver_answered(kind: str, receiver: Receiver) -> None:
    said = open_destination(kind, receiver.options()).send(message())
    assert said.startswith("2")
    assert len(receiver.keys()) == 1


def test_the_receiver_can_tell_a_repeat(kind: str, receiver: Receiver) -> None:
    destination, same = open_destination(kind, receiver.options()), message()
    destination.send(same)
    destination.send(same)
    assert receiver.keys() == [same.key] * 2


def test_a_refusal_is_for_good(kind: str, receiver: Receiver) -> None:
    receiver.way = "refuse"
    with pytest.raises(Refused) as refused:
        open_destination(kind, receiver.options()).send(message())
    assert "refuse" in str(refused.value) or "550 No such mailbox" in str(refused.value)
    assert refused.value.fix


# Over HTTP the head has said that it was taken; a mail server's answer has to be whole.
TAKEN = {("webhook", "huge"), ("webhook", "drip")}


@pytest.mark.parametrize("way", [way for way in get_args(Way) if way not in ("take", "refuse")])
def test_what_did_not_arrive_for_sure_is_tried_again(
    kind: str, receiver: Receiver, way: Way
) -> None:
    receiver.way = way
    destination = open_destination(kind, receiver.options())
    if (kind, way) in TAKEN:
        said = destination.send(message())
        assert said.startswith("200 x") and said.endswith("(the answer was cut here)")
        assert len(said) <= MOST_SAID
    else:
        with pytest.raises(Unreachable) as unreachable:
            destination.send(message())
        assert len(unreachable.value.sentence) <= MOST_SAID + 100


def test_nobody_there(kind: str, settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    given = {"to": "anna@example.com", "url": "http://127.0.0.1:9/alerts"}
    with pytest.raises(Unreachable, match="refused"):
        open_destination(kind, given).send(message())


def test_its_options_survive_being_kept(kind: str, receiver: Receiver) -> None:
    kept = open_destination(kind, receiver.options()).as_dict()
    assert open_destination(kind, kept).as_dict() == kept
    assert kept.keys() == {option.name for option in kind_of(kind).options}


def test_options_are_checked(kind: str) -> None:
    for option in kind_of(kind).options:
        with pytest.raises(WrongOption) as wrong:
            open_destination(kind, {option.name: "no such thing"})
        assert wrong.value.field == option.name


def test_a_secret_is_not_shown(kind: str, receiver: Receiver) -> None:
    destination = open_destination(kind, receiver.options())
    for option in destination.options:
        value = destination.as_dict()[option.name]
        assert not option.secret or str(value) not in destination.target()


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(DestinationError) as error:
        open_destination("pigeon", {})
    assert error.value.fix == "Use one of: email, webhook."
