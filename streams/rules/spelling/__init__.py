"""The way back: a form as a pattern, as an expression, and in words."""
