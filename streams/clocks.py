"""The clocks of every shard that is still to be read, as one SQL text for all who judge by them:
the overview, a stream's shards, and the watch."""


def proven(shard: str) -> str:
    """Until when everything of a shard is surely stored, as SQL; NULL if that was never shown.

    An empty read shows it. A page with records does not, however fresh they are: more may wait
    behind it, and a gap must not begin after them.
    """
    return f"""CASE WHEN {shard}.last_stored_at IS NULL
                      OR {shard}.caught_up_at > {shard}.last_stored_at
                    THEN greatest({shard}.caught_up_at, {shard}.newest_change_at)
                    ELSE {shard}.newest_change_at END"""


# `readable`: it is the shard's turn, whether somebody reads it or not. `read_at` is its last
# successful read; of one whose turn has just come, when it came; NULL before the first read.
# `complete_at` is until when everything seems stored, NULL before a first read has shown it.
# `unread_from` is until when that is proven, never NULL: no unread change that is ours is older.
UNFINISHED = f"""
    SELECT s.id, s.stream_id, s.position, t.turn AS readable,
           CASE WHEN t.turn THEN coalesce(
               s.last_read_at, p.ended_at,
               CASE WHEN s.generation > 1 THEN (
                   SELECT max(o.ended_at) FROM streams_shard o
                   WHERE o.stream_id = s.stream_id AND o.generation < s.generation) END
           ) END AS read_at,
           coalesce(s.newest, p.newest) AS complete_at,
           coalesce(s.proven, greatest(s.unread_from, p.proven)) AS unread_from
    FROM (
        SELECT *, greatest(caught_up_at, newest_change_at) AS newest, {proven("own")} AS proven,
               min(generation) OVER (PARTITION BY stream_id) AS first_generation
        FROM streams_shard own WHERE ended_at IS NULL
    ) s
    LEFT JOIN (
        SELECT id, ended_at, greatest(caught_up_at, newest_change_at) AS newest,
               {proven("own")} AS proven
        FROM streams_shard own
    ) p ON p.id = s.parent_id,
    LATERAL (
        SELECT s.generation = s.first_generation AND (p.id IS NULL OR p.ended_at IS NOT NULL)
                   AS turn
    ) t
"""

# A stream `st` that is off gets no new changes.
_ON = """NOT EXISTS (
        SELECT 1 FROM streams_problem off WHERE off.stream_id = st.id AND off.resolved_at IS NULL
            AND off.kind IN ('stream-off', 'table-missing'))"""

# The same of a stream `st` of which no shard is to be read: since a listing last showed that there
# is no other; NULL if the stream is off, so that nothing can be waiting.
NONE_UNFINISHED = f"""
    CASE WHEN {_ON}
    THEN coalesce(
        greatest((SELECT max(e.ended_at) FROM streams_shard e WHERE e.stream_id = st.id),
                 st.discovered_at),
        st.created_at) END
"""

# Shards that were read to their end, in the same columns, when no complete listing has shown since
# what follows them: their children may have changes by now, and nobody can know.
UNFOLLOWED = f"""
    SELECT s.id, s.stream_id, s.position, true AS readable, s.ended_at AS read_at,
           s.ended_at AS complete_at, s.ended_at AS unread_from
    FROM streams_shard s JOIN streams_stream st ON st.id = s.stream_id
    WHERE s.ended = 'read' AND s.generation = st.generation
      AND (st.discovered_at IS NULL OR s.ended_at > st.discovered_at)
      AND NOT EXISTS (SELECT 1 FROM streams_shard c WHERE c.parent_id = s.id) AND {_ON}
"""

# All that should be read or listed now.
TURN = f"SELECT * FROM ({UNFINISHED}) c WHERE c.readable UNION ALL ({UNFOLLOWED})"
