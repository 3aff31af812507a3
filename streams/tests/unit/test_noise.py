"""What is noise, and what is only unknown."""

import pytest

from streams.noise import is_noise


@pytest.mark.parametrize(
    ("operation", "changed", "ignored", "noise"),
    [
        ("MODIFY", (), (), True),
        ("MODIFY", ("seenAt",), ("seenAt",), True),
        ("MODIFY", ("seenAt", "status"), ("seenAt",), False),
        ("MODIFY", ("status",), (), False),
        ("MODIFY", None, ("seenAt",), False),
        ("INSERT", ("seenAt",), ("seenAt",), False),
        ("REMOVE", (), ("seenAt",), False),
    ],
)
def test_only_a_modify_of_nothing_else_is_noise(
    operation: str, changed: tuple[str, ...] | None, ignored: tuple[str, ...], noise: bool
) -> None:
    assert is_noise(operation, changed, ignored) is noise
