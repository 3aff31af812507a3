"""The parts of a message, as text and as HTML that mail readers show: plain elements, no styles
but a few on the elements themselves, no images, nothing loaded. Plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# A missing side of a difference.
_NONE = "(none)"
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:15px;line-height:1.45"
_MONO = "font-family:ui-monospace,Consolas,monospace;font-size:13px"
_CELL = "padding:2px 12px 2px 0;text-align:left;vertical-align:top"


@dataclass(frozen=True)
class Block:
    """A paragraph, a list of facts, of differences (path, old, new) or of links; in this order if
    it has several."""

    text: str = ""
    title: str = ""
    strong: bool = False
    rows: Sequence[tuple[str, str]] = ()
    differences: Sequence[tuple[str, str | None, str | None]] = ()
    links: Sequence[tuple[str, str]] = ()

    def as_text(self) -> str:
        wide = max((len(name) for name, _ in self.rows), default=0) + 2
        lines = [self.text, f"{self.title}:" if self.title else ""]
        lines += [f"{name + ':':<{wide}}{value}" for name, value in self.rows]
        lines += [
            f"  {path}: {old or _NONE} -> {new or _NONE}" for path, old, new in self.differences
        ]
        lines += [f"{label}: {url}" for label, url in self.links]
        return "\n".join(line for line in lines if line)

    def as_html(self) -> str:
        return "".join((self._paragraph(), self._table(), self._differences(), self._links()))

    def _paragraph(self) -> str:
        if not self.text:
            return ""
        text = escape(self.text)
        return f"<p><strong>{text}</strong></p>" if self.strong else f"<p>{text}</p>"

    def _table(self) -> str:
        if not self.rows:
            return ""
        rows = "".join(
            f'<tr><th scope="row" style="{_CELL};font-weight:normal;color:#555">{escape(name)}</th>'
            f'<td style="{_CELL}">{escape(value)}</td></tr>'
            for name, value in self.rows
        )
        return f'<table style="border-collapse:collapse;{_FONT}">{rows}</table>'

    def _differences(self) -> str:
        if not self.differences:
            return ""
        rows = "".join(
            f'<tr><th scope="row" style="{_CELL}">{escape(path)}</th>'
            f'<td style="{_CELL}">{escape(old or _NONE)}</td>'
            f'<td style="{_CELL}">{escape(new or _NONE)}</td></tr>'
            for path, old, new in self.differences
        )
        head = "".join(
            f'<th scope="col" style="{_CELL};color:#555">{name}</th>'
            for name in ("Field", "Before", "After")
        )
        return (
            f"<p>{escape(self.title)}:</p>"
            f'<table style="border-collapse:collapse;{_MONO}"><tr>{head}</tr>{rows}</table>'
        )

    def _links(self) -> str:
        if not self.links:
            return ""
        links = "<br>".join(
            f'<a href="{escape(url)}">{escape(label)}</a>' for label, url in self.links
        )
        return f"<p>{links}</p>"


def html_of(title: str, blocks: Sequence[Block], foot: str) -> str:
    """A whole document."""
    body = "".join(block.as_html() for block in blocks)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'</head><body style="{_FONT}"><h1 style="font-size:19px">{escape(title)}</h1>{body}'
        f'<p style="color:#555;font-size:13px">{escape(foot)}</p></body></html>'
    )
