"""Reading a path of an expression, and finding which fields of a change it means."""

from collections.abc import Collection
from typing import NamedTuple

from streams.rules.expressions.fields import IMAGES, PLAIN, RECORD, SHORT, meant
from streams.rules.expressions.operands import Asked, asked
from streams.rules.expressions.suggest import MOST_WARNINGS, FilterWarning, doubt
from streams.rules.expressions.tokens import Piece, Scanner
from streams.rules.json_text import DEEPEST

_ALIASES = {"op": "operation", "actor": "ttl"}


class Path(NamedTuple):
    """A path as it is written. `from_top` if it begins with a dot."""

    segments: tuple[Piece, ...]
    from_top: bool
    position: int

    def text(self, start: int = 0) -> str:
        return ".".join(segment.text for segment in self.segments[start:])

    def begins_with(self, *words: str) -> bool:
        """True if the first segment is one of these words, and has its known meaning."""
        first = self.segments[0]
        return not self.from_top and not first.quoted and first.text in words


class Target(NamedTuple):
    """The fields a path means: any of them is enough. None of them is every key attribute."""

    paths: tuple[str, ...]
    asked: Asked


class Paths:
    """Reads paths, and remembers which attributes nobody has seen."""

    def __init__(self, scanner: Scanner, known: Collection[str] | None) -> None:
        self._scanner = scanner
        self._known = known
        self.warnings: list[FilterWarning] = []

    def read(self, what: str) -> Path:
        scanner, position = self._scanner, self._scanner.place
        from_top = scanner.take(".")
        segment = scanner.name()
        if segment is None:
            scanner.expected(what)
        segments = [segment]
        while scanner.take("."):
            segment = scanner.name()
            if segment is None:
                scanner.expected("a name behind the dot (in quotes where it has a space or sign)")
            segments.append(segment)
        if sum(segment.text.count(".") + 1 for segment in segments) > DEEPEST:
            scanner.fail(f"A path has at most {DEEPEST} names", position)
        return Path(tuple(segments), from_top, position)

    def target(self, path: Path) -> Target:
        whole = path.text()
        if path.from_top:
            # Taken as it is, and so are its values: `.table:true` asks for the truth, not the text.
            return Target((whole,), asked(whole)._replace(holds="any"))
        first, has_more = path.segments[0], len(path.segments) > 1
        if first.quoted:
            return self._attribute(path)
        if first.text in IMAGES and has_more:
            self._doubt(path.text(1), path.position)
            return Target((whole,), asked(whole))
        self._check_depth(path, first.text, has_more)
        if first.text in (*PLAIN, *RECORD):
            return Target((whole,), asked(whole))
        if first.text in _ALIASES:
            return Target((_ALIASES[first.text],), asked(_ALIASES[first.text]))
        if first.text == "key":
            return Target((), Asked("any", True, "Every item has its key: name one, as in keys.pk"))
        return self._attribute(path)

    def _check_depth(self, path: Path, name: str, has_more: bool) -> None:
        """Images have attributes, the other known words but the record's have nothing inside."""
        if name in IMAGES:
            self._scanner.fail(
                f"`{name}` is a whole image: name an attribute, as in {name}.status", path.position
            )
        if has_more and name in (*PLAIN, *SHORT):
            self._scanner.fail(
                f'`{name}` has nothing inside; an attribute of that name is "{name}"',
                path.position,
            )

    def _attribute(self, path: Path) -> Target:
        """An unqualified name: the attribute in any of the images."""
        first, whole = path.segments[0], path.text()
        if not first.quoted:
            near = meant(first.text, len(path.segments) > 1, self._known or ())
            if near:
                self._scanner.fail(
                    f"No field `{first.text[:40]}`; did you mean `{near}`?"
                    f" (An attribute of that name is new.{first.text[:40]})",
                    path.position,
                )
        self._doubt(whole, path.position)
        reason = f"Absent in which image? Write new.{whole[:40]}, or missing({whole[:40]}) for all"
        paths = tuple(f"{image}.{whole}" for image in IMAGES)
        return Target(paths, Asked("any", True, reason))

    def compared(self, path: Path, example: str) -> str:
        """The path of an attribute that is compared between old and new."""
        named_image = path.begins_with(*IMAGES) and len(path.segments) > 1
        if path.from_top or named_image:
            name = path.text(1 if named_image else 0)[:40]
            self._scanner.fail(
                f"This compares old with new: name only the attribute, as in {example}"
                f" (here `{name}`)",
                path.position,
            )
        self._doubt(path.text(), path.position)
        return path.text()

    def _doubt(self, attribute: str, position: int) -> None:
        if any(warning.position == position for warning in self.warnings):
            return
        if self._known is not None and len(self.warnings) < MOST_WARNINGS:
            found = doubt(attribute, position, self._known)
            self.warnings += [found] if found else []
