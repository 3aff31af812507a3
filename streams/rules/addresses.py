"""IP addresses as event-ruler reads them: what a string must look like to be one."""

import re
from dataclasses import dataclass

_v4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+").fullmatch
_v6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*").fullmatch
_LONGEST_V4 = 15  # beyond it the address parser takes the text for a host's name
_MAPPED = 0xFFFF << 32  # ::ffff:0:0, IPv4 written as IPv6, is read as IPv4


@dataclass(frozen=True, slots=True)
class Address:
    """An address and its width in bits, 32 or 128: 0.0.0.1 and ::1 are different."""

    bits: int
    number: int


def address(text: str) -> Address | None:
    """The address a string spells, or None. Zones and dotted IPv6 are no addresses here."""
    if _v4(text):
        return _address_v4(text)
    if _v6(text):
        return _address_v6(text)
    return None


def _address_v4(text: str) -> Address | None:
    if len(text) > _LONGEST_V4:
        return None
    number = 0
    for part in text.split("."):
        if int(part) > 255:  # leading zeros are decimal: 010 is ten
            return None
        number = number << 8 | int(part)
    return Address(32, number)


def _address_v6(text: str) -> Address | None:
    halves = [_groups(half) for half in text.split("::")]
    if len(halves) > 2 or not all(group is not None for group in halves):
        return None
    left, right = halves[0] or [], halves[1] or [] if len(halves) == 2 else []
    missing = 8 - len(left) - len(right)
    if missing < 0 or (missing > 0) != (len(halves) == 2):
        return None
    number = 0
    for group in [*left, *[0] * missing, *right]:
        number = number << 16 | group
    if number >> 32 == _MAPPED >> 32:
        return Address(32, number & 0xFFFFFFFF)
    return Address(128, number)


def _groups(half: str) -> list[int] | None:
    if not half:
        return []
    parts = half.split(":")
    # Leading zeros are allowed, any number of them.
    if not all(part and len(part.lstrip("0")) <= 4 for part in parts):
        return None
    return [int(part, 16) for part in parts]


@dataclass(frozen=True, slots=True)
class Network:
    bits: int
    first: int
    last: int

    def holds(self, found: Address) -> bool:
        return found.bits == self.bits and self.first <= found.number <= self.last


def network(text: str) -> Network:
    """The range that CIDR notation spells. ValueError says what is wrong with it.

    Host bits are masked. A range of a single address (/32, /128) is refused, as event-ruler does.
    """
    start, slash, mask = text.partition("/")
    if not slash or not re.fullmatch(r"[0-9]{1,9}", mask):
        raise ValueError('must be an address, "/" and the number of fixed bits')
    found = address(start)
    if found is None:
        raise ValueError(f"{start[:50]!r} is no IP address")
    if int(mask) >= found.bits:
        raise ValueError(f"must fix 0 to {found.bits - 1} bits of such an address")
    free = (1 << found.bits - int(mask)) - 1
    return Network(found.bits, found.number & ~free, found.number | free)
