"""Which columns the live feed has, and in which order: `cols=time,key,new.status`."""

from typing import Any, NamedTuple

from dashboard.feed import columns

# What every change has. The key is the row's link, so it is always there.
_LABELS = {
    "time": "Received",
    "stream": "Stream",
    "op": "Operation",
    "key": "Key",
    "fields": "Changed fields",
    "actor": "Actor",
    "lag": "Lag",
    "item": "Item",
}
_DEFAULT = ("time", "stream", "op", "key", "fields", "actor", "item")


class Column(NamedTuple):
    """`place` is where a path's value stands among the values of a row; None for other columns."""

    name: str
    label: str
    place: int | None = None


def named(names: list[str]) -> list[Column]:
    """The columns of their names; ValueError names one that there is not."""
    paths = [name for name in names if name not in _LABELS]
    places = {path: place for place, path in enumerate(columns.parse(paths))}
    chosen = [*names] if "key" in names else ["key", *names]
    return [
        Column(name, name, places[name]) if name in places else Column(name, _LABELS[name])
        for name in dict.fromkeys(chosen)
    ]


DEFAULT = named([*_DEFAULT])


def parse(text: str) -> list[Column]:
    """Names separated by commas; a comma in quotes is part of a name."""
    names, start, in_quotes = [], 0, False
    for place, sign in enumerate(text):
        if sign == '"' and not text.endswith("\\", 0, place):
            in_quotes = not in_quotes
        elif sign == "," and not in_quotes:
            names.append(text[start:place].strip())
            start = place + 1
    names.append(text[start:].strip())
    return named([name for name in names if name]) if any(names) else DEFAULT


def paths(chosen: list[Column]) -> list[str]:
    """The paths of the values that rows bring, in their order."""
    return [column.name for column in chosen if column.place is not None]


def choices(chosen: list[Column]) -> list[dict[str, Any]]:
    """For the column picker: those that are shown, then the others."""
    shown = [column.name for column in chosen]
    others = [Column(name, label) for name, label in _LABELS.items() if name not in shown]
    return [
        {
            "name": column.name,
            "label": column.label,
            "shown": column.name in shown,
            "needed": column.name == "key",
        }
        for column in [*chosen, *others]
    ]
