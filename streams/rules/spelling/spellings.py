"""A form in either spelling. What a spelling cannot say is None, never something near."""

from streams.rules.spelling.expression_text import expression_of
from streams.rules.spelling.pattern_text import pattern_of

__all__ = ["expression_of", "pattern_of"]
