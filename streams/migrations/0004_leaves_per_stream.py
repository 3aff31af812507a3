"""The table of changes is partitioned by stream, and then by time, so that retention can drop a
stream's old changes as whole tables. What is stored is copied over; until the commit, the disk
holds it twice.

`streams/partitions.py` makes the parts from now on; this file has its own copy of how, as it was
at the time of this migration.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

COLUMNS = """
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
"""

FORWARD = f"""
ALTER TABLE streams_change RENAME TO streams_change_before;
CREATE TABLE streams_change ({COLUMNS}) PARTITION BY LIST (stream_id);

DO $$
DECLARE
    held record;
    leaf record;
BEGIN
    FOR held IN
        SELECT d.stream_id, CASE WHEN s.keep_days <= 31 THEN 1 ELSE 7 END AS span
        FROM (SELECT DISTINCT stream_id FROM streams_change_before) d
        LEFT JOIN streams_stream s ON s.id = d.stream_id
    LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF streams_change FOR VALUES IN (%s)
                        PARTITION BY RANGE (occurred_at)',
                       'streams_change_s' || held.stream_id, held.stream_id);
        FOR leaf IN
            SELECT format('streams_change_s%s_%s_%s', held.stream_id, to_char(begun, 'YYYYMMDD'),
                          to_char(begun + held.span, 'YYYYMMDD')) AS name,
                   begun, begun + held.span AS ended
            FROM (SELECT DISTINCT date '1970-01-01' + held.span
                      * floor(extract(epoch FROM occurred_at) / (86400 * held.span))::integer
                      AS begun
                  FROM streams_change_before WHERE stream_id = held.stream_id) days
        LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                           leaf.name, 'streams_change_s' || held.stream_id,
                           leaf.begun || ' 00:00:00+00', leaf.ended || ' 00:00:00+00');
        END LOOP;
    END LOOP;
END $$;

INSERT INTO streams_change SELECT * FROM streams_change_before;
DROP TABLE streams_change_before;

DO $$
DECLARE
    leaf text;
BEGIN
    FOR leaf IN
        SELECT c.relname FROM pg_partition_tree('streams_change') t
        JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf AND t.level = 2
    LOOP
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (item, generation, sequence)',
                       leaf || '_item', leaf);
        EXECUTE format('CREATE INDEX %I ON %I (batch_id)', leaf || '_batch', leaf);
    END LOOP;
END $$;
"""

BACKWARD = f"""
ALTER TABLE streams_change RENAME TO streams_change_before;
CREATE TABLE streams_change ({COLUMNS}) PARTITION BY RANGE (occurred_at);

DO $$
DECLARE
    held date;
BEGIN
    FOR held IN
        SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date FROM streams_change_before
    LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF streams_change FOR VALUES FROM (%L) TO (%L)',
                       'streams_change_' || to_char(held, 'YYYYMMDD'),
                       held || ' 00:00:00+00', held + 1 || ' 00:00:00+00');
    END LOOP;
END $$;

INSERT INTO streams_change SELECT * FROM streams_change_before;
DROP TABLE streams_change_before;
CREATE UNIQUE INDEX streams_change_item
    ON streams_change (item, generation, sequence, occurred_at);
CREATE INDEX streams_change_batch ON streams_change (batch_id);
"""


class Migration(migrations.Migration):
    dependencies = [("streams", "0003_retention_and_settling")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AlterField(
            model_name="drop",
            name="dropped_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.CreateModel(
            name="Cut",
            fields=[
                (
                    "shard",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="streams.shard",
                    ),
                ),
                ("number", models.BigIntegerField()),
                ("position", models.CharField(blank=True, max_length=200)),
                ("digest", models.BinaryField()),
                ("newest_change_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Remainder",
            fields=[
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="streams.batch",
                    ),
                ),
                ("changes", models.IntegerField()),
                ("digest", models.BinaryField()),
            ],
        ),
    ]
