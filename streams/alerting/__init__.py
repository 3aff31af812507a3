"""What alerts are made of, as plain Python: rules' definitions, their evaluation, what is sent."""
