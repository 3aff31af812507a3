"""Many filters at once."""
