"""Event patterns: from JSON text to the common form."""
