"""Does a form hold for an event, and why."""
