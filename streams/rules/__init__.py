"""The filter language: one meaning, spelled as an event pattern or as a text expression.

PATTERNS.md and EXPRESSIONS.md are its specification. Nothing here knows Django or a network.
"""

from streams.rules.either import compile_text
from streams.rules.errors import EventError, PatternError
from streams.rules.expressions.compiler import compile_expression
from streams.rules.filter import Filter
from streams.rules.matching.matcher import Matcher
from streams.rules.patterns.compiler import compile_pattern

__all__ = [
    "EventError",
    "Filter",
    "Matcher",
    "PatternError",
    "compile_expression",
    "compile_pattern",
    "compile_text",
]
