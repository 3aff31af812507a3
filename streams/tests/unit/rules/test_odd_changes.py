"""Changes that DynamoDB would not send: no filter may fail on one that is stored."""

import pytest

from streams.rules import EventError, Matcher, compile_expression
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import StreamFacts, Wanted

FACTS = StreamFacts.of("orders", "", "NEW_AND_OLD_IMAGES")
FILTERS = [
    "new.a:x", "new.a>1", "missing(a)", "-new.a.b:x", "changed(a.b)", "changed(a) by >1", "key:x",
    "length(new.a)>1", "type(new.a):S", "dynamodb.NewImage.a.S:x", "userIdentity.type:x",
]  # fmt: skip
IMAGES = [
    b'{"a":"x"}', b'{"a":null}', b'{"a":{}}', b'{"a":{"S":1}}', b'{"a":{"S":"x","N":"1"}}',
    b'{"a":{"N":"abc"}}', b'{"a":{"N":"1e999999999"}}', b'{"a":{"L":3}}', b'{"a":{"L":["x"]}}',
    b'{"a":{"M":[]}}', b'{"a":{"NS":7}}', b'{"a":{"SS":[1,{}]}}', b'{"a":{"ZZ":"q"}}', b"[]",
]  # fmt: skip


def event_of(expression: str, image: bytes) -> dict[str, object]:
    wanted = Wanted.of([compile_expression(expression).form])
    return ChangeEvents(FACTS, wanted).make(
        operation="MODIFY",
        keys=b'{"pk":{"S":"a"}}',
        old=b'{"a":{"S":"x"}}',
        new=image,
        changed=("a",),
        user_identity=b"[1]",
        size=1,
        sequence="1",
        event_id="e",
        occurred=1,
    )


@pytest.mark.parametrize("expression", FILTERS)
@pytest.mark.parametrize("image", IMAGES)
def test_a_filter_decides_images_that_are_none(expression: str, image: bytes) -> None:
    filter_, event = compile_expression(expression), event_of(expression, image)
    matched = filter_.matches(event)
    assert matched == filter_.explain(event).matched == bool(Matcher({1: filter_}).match(event))


def test_what_is_nested_without_end_is_said() -> None:
    image = b'{"a":' + b'{"L":[' * 5_000 + b'{"S":"x"}' + b"]}" * 5_000 + b"}"
    with pytest.raises(EventError, match="too deep"):
        compile_expression("new.a:x").matches(event_of("new.a:x", image))
