"""Text expressions: from what people type to the common form."""
