"""The event of a change, with the parts that filters ask for."""
