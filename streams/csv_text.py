"""Lines of CSV that no spreadsheet runs. Plain Python."""

import csv
import io
from collections.abc import Iterable
from typing import Any

# A sheet takes a cell that begins so for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """The rows as CSV; a cell that a sheet would take for a formula gets an apostrophe in front."""
    written = io.StringIO()
    csv.writer(written).writerows([_safe(str(cell)) for cell in row] for row in rows)
    return written.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
