"""Starting and stopping a whole Deltawatch on one machine: `manage.py up`, and nothing else.

`launcher.py` is the file to read first: it names every step in order.
"""
