"""Ignoring case the way event-ruler does: each character of the pattern in two forms.

A text matches if it spells each character of the pattern either in lower or in upper case, both
in full, so that "ß" stands for "ß" and "SS". That is less than case folding: "ss" is not "ß", and
the pattern's own spelling counts only if it is one of the two forms ("ǅ" matches "Ǆ" and "ǆ").
No form of a character begins or ends with its other form, so one pass decides.
"""


class Folded:
    """A pattern's text, ready to be compared ignoring case."""

    __slots__ = ("_forms", "_lower", "_size")

    def __init__(self, text: str) -> None:
        self._lower = text.lower() if text.isascii() else None
        self._size = len(text)
        self._forms = () if text.isascii() else tuple((c.lower(), c.upper()) for c in text)

    def equals(self, text: str) -> bool:
        if self._lower is not None:
            return text.isascii() and text.lower() == self._lower
        return self._end(text) == len(text)

    def begins(self, text: str) -> bool:
        if self._lower is not None:
            start = text[: self._size]
            return start.isascii() and start.lower() == self._lower
        return self._end(text) is not None

    def ends(self, text: str) -> bool:
        if self._lower is not None:
            end = text[max(0, len(text) - self._size) :]
            return end.isascii() and end.lower() == self._lower
        position = len(text)
        for lower, upper in reversed(self._forms):
            if text.endswith(lower, 0, position):
                position -= len(lower)
            elif text.endswith(upper, 0, position):
                position -= len(upper)
            else:
                return False
        return True

    def _end(self, text: str) -> int | None:
        """Where the pattern ends in a text that begins with it; None if the text does not."""
        position = 0
        for lower, upper in self._forms:
            if text.startswith(lower, position):
                position += len(lower)
            elif text.startswith(upper, position):
                position += len(upper)
            else:
                return None
        return position
