"""A form in either spelling. What a spelling cannot say is None, never something near."""

from streams.rules.expression_text import expression_of
from streams.rules.pattern_text import pattern_of

__all__ = ["expression_of", "pattern_of"]
