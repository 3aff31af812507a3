"""Which of many texts another one begins with, ends with, or holds."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

# Nanoseconds, measured: to search a text for one piece, to begin with and per character; and per
# character where samples of the text are looked at instead.
_SEARCH, _SEARCH_ON, _SAMPLE = 40, 0.3, 40


class Beginnings:
    """Texts with their owners; finds those that are a prefix of a given text.

    Sorted, with each one's longest other prefix beside it: all that begin a text lie on one chain,
    however many lengths there are.
    """

    def __init__(self, owned: Mapping[str, Sequence[int]]) -> None:
        self._texts = sorted(owned)
        self._owners = [tuple(owned[text]) for text in self._texts]
        self._shorter: list[int] = []
        for place, text in enumerate(self._texts):
            shorter = place - 1
            while shorter >= 0 and not text.startswith(self._texts[shorter]):
                shorter = self._shorter[shorter]
            self._shorter.append(shorter)

    def find(self, text: str, found: set[int]) -> None:
        texts, shorter = self._texts, self._shorter
        place = bisect_right(texts, text) - 1
        while place >= 0:
            if text.startswith(texts[place]):
                found.update(self._owners[place])
            place = shorter[place]


class Endings:
    """The same for suffixes."""

    def __init__(self, owned: Mapping[str, Sequence[int]]) -> None:
        self._longest = max(map(len, owned))
        self._turned = Beginnings({text[::-1]: owners for text, owners in owned.items()})

    def find(self, text: str, found: set[int]) -> None:
        # Not the whole of a long text: [:-n - 1:-1] are its last n characters, turned.
        self._turned.find(text[: -self._longest - 1 : -1], found)


class Pieces:
    """Short texts with their owners; finds those that lie anywhere in a given text.

    A piece of n characters holds, wherever it lies, one of the text's shorter samples that are
    taken at every so many characters; only pieces that do are searched for.
    """

    def __init__(self, owned: Mapping[str, Sequence[int]]) -> None:
        self._owned = {piece: tuple(owners) for piece, owners in owned.items()}
        # By the pieces' length: what samples they hold.
        self._holders: dict[int, dict[str, set[str]]] = {}
        for piece in owned:
            holders = self._holders.setdefault(len(piece), {})
            step, length = _sampled(len(piece))
            for place in range(step):
                holders.setdefault(piece[place : place + length], set()).add(piece)

    def find(self, text: str, found: set[int]) -> None:
        pieces: Iterable[str] = self._owned
        if len(self._owned) * (_SEARCH + _SEARCH_ON * len(text)) > _SAMPLE * len(text):
            pieces = self._likely(text)
        for piece in pieces:
            if piece in text:
                found.update(self._owned[piece])

    def _likely(self, text: str) -> set[str]:
        likely: set[str] = set()
        for of_length, holders in self._holders.items():
            step, length = _sampled(of_length)
            places = range(0, len(text) - length + 1, step)
            for sample in {s for n in places if (s := text[n : n + length]) in holders}:
                likely |= holders[sample]
        return likely


def _sampled(length: int) -> tuple[int, int]:
    """For pieces of a length: from one sample to the next, and how long each is."""
    step = (length + 1) // 2
    return step, length - step + 1
