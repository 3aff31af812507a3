"""What search needs: terms of indexed attributes, and four more indexes on every leaf.

`streams/partitions.py` and `streams/indexing.py` make them from now on; this file has its own copy
of how, as it was at the time of this migration. Changes that are there already, or come from a
poller of the version before, have no terms; so attributes count as indexed from the next day on.
"""

from django.db import migrations, models

FORWARD = r"""
ALTER TABLE streams_change ADD COLUMN terms int4[];

DO $$
DECLARE
    leaf record;
    mark text;
BEGIN
    FOR leaf IN
        SELECT c.relname AS name, s.key_schema -> 0 ->> 0 AS key, s.key_schema -> 0 ->> 1 AS type
        FROM pg_partition_tree('streams_change') t
        JOIN pg_class c ON c.oid = t.relid
        LEFT JOIN streams_stream s
            ON s.id = substring(c.relname FROM '^streams_change_s(\d+)_')::bigint
        WHERE t.isleaf AND t.level = 2
    LOOP
        EXECUTE format('CREATE INDEX %I ON %I (occurred_at)', leaf.name || '_time', leaf.name);
        EXECUTE format('CREATE INDEX %I ON %I USING gin (changed)
                        WITH (gin_pending_list_limit = 1024)', leaf.name || '_changed', leaf.name);
        EXECUTE format('CREATE INDEX %I ON %I USING gin (terms)
                        WITH (gin_pending_list_limit = 1024) WHERE terms IS NOT NULL',
                       leaf.name || '_terms', leaf.name);
        IF leaf.type IN ('S', 'B') AND leaf.key ~ '^[A-Za-z0-9_.:#/ -]{1,255}$' THEN
            mark := format('"%s":{"%s":"', leaf.key, leaf.type);
            EXECUTE format('CREATE INDEX %I ON %I ((CASE WHEN strpos(keys::text, %L) = 0
                            THEN left(split_part(keys::text, %L, 2), 48) ELSE %L END) COLLATE "C")',
                           leaf.name || '_key', leaf.name, '\', mark, '');
        END IF;
    END LOOP;
END $$;

UPDATE streams_stream SET indexed_since = (now() AT TIME ZONE 'UTC' + interval '25 hours')::date;
"""

BACKWARD = r"""
ALTER TABLE streams_change DROP COLUMN terms;

DO $$
DECLARE
    leaf text;
BEGIN
    FOR leaf IN
        SELECT c.relname FROM pg_partition_tree('streams_change') t
        JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf AND t.level = 2
    LOOP
        EXECUTE format('DROP INDEX %I, %I', leaf || '_time', leaf || '_changed');
        EXECUTE format('DROP INDEX IF EXISTS %I', leaf || '_key');
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("streams", "0004_leaves_per_stream")]

    operations = [
        migrations.AddField(
            model_name="stream",
            name="indexed_attributes",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="stream",
            name="indexed_since",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
