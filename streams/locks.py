"""Names of Postgres' advisory locks, each together with a stream's id: one list, so that no two
parts keep each other out by accident."""

# Two pollers may need the same new leaf at once; one makes it, the other finds it made.
MAKING_LEAVES = 7_245_001
# One process at a time lists a stream's shards.
LISTING = 7_245_002
# One at a time drops and cuts a stream's ledger; who comes second has nothing to do.
RETAINING = 7_245_003
