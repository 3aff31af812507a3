"""What goes wrong with a filter or an event, each with the place."""


class PatternError(ValueError):
    """A filter that cannot be compiled. `position` counts characters from 0 in `text`."""

    def __init__(self, reason: str, position: int, text: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position
        self.text = text

    def __str__(self) -> str:
        return f"{self.reason} (at character {self.position})"


class EventError(ValueError):
    """An event that is no JSON object. `position` is None where the event came as a dict."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position

    def __str__(self) -> str:
        return self.reason if self.position is None else f"{self.reason} (at {self.position})"
