"""The names an expression knows: what a change has beside its attributes."""

from collections.abc import Collection

from streams.rules.expressions.suggest import nearest

# Where attributes lie, in the order in which an unqualified name is looked for.
IMAGES = ("new", "old", "keys")
OPERATIONS = ("INSERT", "MODIFY", "REMOVE")
# Fields of the plain shape that are a leaf, or a list of names.
PLAIN = ("table", "stream", "account", "region", "operation", "ttl", "changed", "size")
# Roots of the record shape.
RECORD = (
    *("eventID", "eventName", "eventVersion", "eventSource", "eventSourceARN", "awsRegion"),
    *("userIdentity", "dynamodb"),
)
# Words that stand for something else: `op` for operation, `actor:ttl` for ttl:true, `key` for every
# key attribute.
SHORT = ("op", "actor", "key")
# Their values are always text: a bare 42 or true is no number and no truth there.
TEXT = {
    *("table", "stream", "account", "region", "operation", "changed"),
    *("eventID", "eventName", "eventVersion", "eventSource", "eventSourceARN", "awsRegion"),
}
ALONE = (*PLAIN, *RECORD, *SHORT)
# Roots with something below them.
ROOTS = (*IMAGES, "userIdentity", "dynamodb")

# A word this short is near to too many attributes' names.
_SHORTEST, _LONG = 5, 8


def meant(name: str, has_more: bool, known: Collection[str]) -> str | None:
    """The known word that an unqualified name is probably a slip for, None if it looks meant.

    `has_more` tells whether the path goes on behind this name.
    """
    if name in known or any(seen.startswith(f"{name}.") for seen in known):
        return None
    for word in (*ALONE, *IMAGES):
        if word.casefold() == name.casefold():
            return word
    if has_more:
        return nearest(name, ROOTS, most=1) if len(name) > 1 else None
    if len(name) < _SHORTEST:
        return None
    long_enough = [word for word in ALONE if len(word) >= _SHORTEST]
    return nearest(name, long_enough, most=2 if len(name) >= _LONG else 1)
