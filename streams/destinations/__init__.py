"""Where alerts are sent: the port (base.py), one file a kind, and which kinds there are."""
