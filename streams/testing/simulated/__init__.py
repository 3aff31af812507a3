"""A simulated DynamoDB Streams: the real wire format over HTTP, and a world that does what no
emulator does (splits, trimming, new ARNs, faults), checking its clients while it serves them.

`world.py` is the model without HTTP, `faults.py` what goes wrong, `watch.py` what clients do
wrong, `service.py` puts them behind one call, and `server.py` puts that on a port.
"""
