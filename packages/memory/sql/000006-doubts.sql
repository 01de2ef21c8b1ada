-- For what lies outside the database and has been judged by the change log once: what became of its
-- key since, long after the clears of that time were swept and the tombstones purged.

-- Of all changes a clear alone says nothing of its keys.
CREATE INDEX changes_clears ON {{schema}}.changes (xid) WHERE op IN ('clear', 'clear-below');

-- The newest version of a key, alive or deleted, or of a clear of its namespace. `since`: transactions
-- from there on count; null = what is known now. 9007199254740991, above every version, when it cannot
-- be told any more: the log does not reach back so far, or a tombstone may have been purged since,
-- which none is before `age_seconds`. (Of the first changes since then, for times are not in the order
-- of transactions; the caller leaves that a margin.)
CREATE FUNCTION {{schema}}.newest_version(ns text, wanted text, since xid8, age_seconds float8)
RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN since <= (SELECT m.value::xid8 FROM {{schema}}.meta m WHERE m.name = 'trimmed_xid')
      OR (SELECT c.at FROM {{schema}}.changes c WHERE c.xid >= since ORDER BY c.xid LIMIT 1)
        < clock_timestamp() - make_interval(secs => age_seconds)
    THEN 9007199254740991
    ELSE greatest(
      {{schema}}.cleared_version(ns),
      (SELECT i.version FROM {{schema}}.items i WHERE i.namespace = ns AND i.key = wanted),
      (SELECT max(c.version) FROM {{schema}}.changes c
       WHERE c.op IN ('clear', 'clear-below') AND c.xid >= since
         AND (c.namespace = ns OR c.op = 'clear-below'
           AND (c.namespace = '' OR starts_with(ns, c.namespace || '/')))))
    END
$$;
