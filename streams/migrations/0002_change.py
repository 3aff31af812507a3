"""The table of changes: partitioned by the day the change happened, written by COPY.

Images are `json`, not `jsonb`: the bytes stay as the source sent them, so nothing can be refused
(`jsonb` takes neither \\u0000 nor lone surrogates), the ledger's digest covers them as they are,
and a COPY is cheaper (benchmarks/image_column.py). Nothing in SQL looks inside an image.
"""

from django.db import migrations

CREATE = """
CREATE TABLE streams_change (
    occurred_at   timestamptz NOT NULL,
    batch_id      bigint      NOT NULL,
    stream_id     integer     NOT NULL,
    ordinal       integer     NOT NULL,
    size          integer     NOT NULL,
    generation    smallint    NOT NULL,
    operation     "char"      NOT NULL,
    item          uuid        NOT NULL,
    sequence      text COLLATE "C" NOT NULL,
    event_id      text        NOT NULL,
    keys          json        NOT NULL,
    old           json,
    new           json,
    changed       text[],
    user_identity json
) PARTITION BY RANGE (occurred_at);

-- An item's history in the source's order, and at the same time: each change once.
CREATE UNIQUE INDEX streams_change_item
    ON streams_change (item, generation, sequence, occurred_at);
-- The changes of a batch, for the feed and for one change's page. Batches are many rows under
-- one key, which B-tree deduplication keeps at about seven bytes a change.
CREATE INDEX streams_change_batch ON streams_change (batch_id);
"""

DROP = "DROP TABLE streams_change"


class Migration(migrations.Migration):
    dependencies = [("streams", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
