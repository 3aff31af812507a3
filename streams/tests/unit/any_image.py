"""Images of any shape, for Hypothesis: every type of DynamoDB, nested, with any names and texts."""

import base64
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

numbers = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1).map(str),
    st.decimals(-999, 999, places=3).map(str),
    st.sampled_from(["0", "1", "1.0", "1E+2", "100", "1e-120", "0.10", "9" * 38]),
)
texts = st.text(st.characters(exclude_categories=[]), max_size=5)
binaries = st.binary(max_size=6).map(lambda raw: base64.b64encode(raw).decode())


def _one(type_: str) -> Callable[[Any], dict[str, Any]]:
    return lambda content: {type_: content}


def _set(members: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(members, min_size=1, max_size=4, unique=True)


def _unequal(members: list[str]) -> bool:
    return len({float(member) for member in members}) == len(members)


leaves = st.one_of(
    texts.map(_one("S")),
    numbers.map(_one("N")),
    binaries.map(_one("B")),
    st.booleans().map(_one("BOOL")),
    st.just({"NULL": True}),
    _set(texts).map(_one("SS")),
    _set(numbers).filter(_unequal).map(_one("NS")),
    _set(binaries).map(_one("BS")),
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.dictionaries(texts, inner, max_size=3).map(_one("M"))
        | st.lists(inner, max_size=4).map(_one("L"))
    ),
    max_leaves=8,
)
images = st.dictionaries(texts, values, max_size=4)
