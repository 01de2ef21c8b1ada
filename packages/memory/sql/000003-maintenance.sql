-- Reading the change log up to what is settled, and what the sweep does. Each chunk is bounded.

-- The transactions that hold the write lock now: whoever has drawn an id of the log and has not ended.
CREATE FUNCTION {{schema}}.writers() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
  SELECT l.virtualtransaction FROM pg_locks l,
    (SELECT hashtextextended('{{schema}}.items', 0) AS value) AS key
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.classid::bigint = (key.value >> 32) & 4294967295 AND l.objid::bigint = key.value & 4294967295
$$;

-- Where the log stands: the last id drawn, and the writers of a moment after it was read. A writer
-- takes the lock before it draws an id and gives it back when its changes are visible, so once these
-- have ended, no change at or below that id can still commit. Going by transaction numbers would do
-- too, but any transaction of the server that stays open, also in other databases, would hold it back.
CREATE FUNCTION {{schema}}.change_horizon(OUT last_id bigint, OUT writers text[])
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last_id FROM {{schema}}.changes_id_seq s;
  writers := ARRAY(SELECT {{schema}}.writers());
END $$;

-- Items past their time become tombstones, with a version and a change each.
CREATE FUNCTION {{schema}}.expire_items(row_limit int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  expired int;
BEGIN
  PERFORM {{schema}}.begin_write();
  WITH due AS MATERIALIZED (
    SELECT i.namespace, i.key FROM {{schema}}.items i
    WHERE i.deleted_at IS NULL AND i.expires_at <= clock_timestamp() AND i.expires_at <= now()
    ORDER BY i.expires_at LIMIT row_limit FOR UPDATE SKIP LOCKED
  ), gone AS (
    UPDATE {{schema}}.items i SET version = greatest(i.version + 1, nextval('{{schema}}.versions')),
      body = NULL, metadata = '{}', tags = '{}', indexing = NULL, expires_at = NULL,
      updated_at = clock_timestamp(), deleted_at = clock_timestamp()
    FROM due WHERE i.namespace = due.namespace AND i.key = due.key
    RETURNING i.namespace, i.key, i.version
  )
  INSERT INTO {{schema}}.changes (namespace, key, version, op)
  SELECT namespace, key, version, 'expire' FROM gone;
  GET DIAGNOSTICS expired = ROW_COUNT;
  RETURN expired;
END $$;

-- Walks on through one cleared namespace and turns what its clear hides into tombstones; the clear
-- goes with the last of them, in the same transaction. It waits for locked rows: skipping one would
-- let it come back when the clear is gone. It must not take the write lock after the clear's row, for
-- clear_namespace takes them the other way round.
CREATE FUNCTION {{schema}}.sweep_clear(row_limit int, OUT examined int, OUT hidden int)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  clear {{schema}}.namespace_clears;
  -- Where the namespaces below begin. They are a range of their own: between `a` and `a/b` lie `a-b`…
  below_from text; below_to text; walks_below boolean; last_namespace text; last_key text;
BEGIN
  examined := 0; hidden := 0;
  SELECT * INTO clear FROM {{schema}}.namespace_clears c
  ORDER BY c.version LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN; END IF;
  below_from := CASE clear.namespace WHEN '' THEN E'\x01' ELSE clear.namespace || '/' END;
  below_to := CASE clear.namespace WHEN '' THEN NULL ELSE clear.namespace || '0' END;
  walks_below := clear.swept_namespace >= below_from;

  WITH walked AS MATERIALIZED (
    SELECT i.namespace, i.key FROM {{schema}}.items i
    WHERE NOT walks_below AND i.namespace = clear.namespace AND i.key > clear.swept_key
    ORDER BY i.key LIMIT row_limit
  ), walked_below AS MATERIALIZED (
    SELECT i.namespace, i.key FROM {{schema}}.items i
    WHERE walks_below AND (i.namespace, i.key) > (clear.swept_namespace, clear.swept_key)
      AND (below_to IS NULL OR i.namespace < below_to)
    ORDER BY i.namespace, i.key LIMIT row_limit
  ), seen AS MATERIALIZED (
    SELECT * FROM walked UNION ALL SELECT * FROM walked_below
  ), doomed AS MATERIALIZED (
    SELECT i.namespace, i.key FROM seen
    JOIN {{schema}}.items i ON i.namespace = seen.namespace AND i.key = seen.key
    WHERE i.version <= clear.version AND i.deleted_at IS NULL
    ORDER BY i.namespace, i.key FOR UPDATE OF i
  ), gone AS (
    UPDATE {{schema}}.items i SET body = NULL, metadata = '{}', tags = '{}', indexing = NULL, expires_at = NULL,
      deleted_at = clock_timestamp()
    FROM doomed d WHERE i.namespace = d.namespace AND i.key = d.key RETURNING i.key
  )
  SELECT (SELECT count(*) FROM seen), (SELECT count(*) FROM gone),
    (SELECT s.namespace FROM seen s ORDER BY s.namespace DESC, s.key DESC LIMIT 1),
    (SELECT s.key FROM seen s ORDER BY s.namespace DESC, s.key DESC LIMIT 1)
  INTO examined, hidden, last_namespace, last_key;

  IF examined < row_limit AND clear.below AND NOT walks_below THEN
    last_namespace := below_from;
    last_key := '';
  ELSIF examined < row_limit THEN
    DELETE FROM {{schema}}.namespace_clears c
    WHERE c.namespace = clear.namespace AND c.below = clear.below;
    RETURN;
  END IF;
  UPDATE {{schema}}.namespace_clears c SET swept_namespace = last_namespace, swept_key = last_key
  WHERE c.namespace = clear.namespace AND c.below = clear.below;
END $$;

-- Purges tombstones in two phases. A key's next version must be above its purged one, but a writer
-- that drew its number before the purge committed finds no row and nothing to be greater than.
-- So: read the last version drawn, F, and then who holds the write lock, W. Whoever drew a number at or
-- below F held the lock before, so is in W or has ended. Once all of W have ended, every writer there
-- is draws above F, and tombstones at or below F may go. (Every version at rest is at or below the last
-- one drawn, so this ends: see put_items.)
-- One call purges by the fence that an earlier call set, if that has matured, and sets the next.
CREATE FUNCTION {{schema}}.purge_tombstones(row_limit int, age_seconds float8)
RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fence text; fence_version bigint := 0; drawn bigint; purged int := 0; holders text;
BEGIN
  fence := (SELECT m.value FROM {{schema}}.meta m WHERE m.name = 'fence');
  IF fence IS NOT NULL THEN
    fence_version := split_part(fence, ':', 1);
    -- Not matured: it stays, for a newer one would only be later.
    IF EXISTS (SELECT FROM {{schema}}.writers() AS writer
               WHERE writer = ANY (string_to_array(split_part(fence, ':', 2), ',')))
    THEN RETURN 0; END IF;
    WITH old AS MATERIALIZED (
      SELECT i.namespace, i.key FROM {{schema}}.items i
      WHERE i.deleted_at < now() - make_interval(secs => age_seconds) AND i.version <= fence_version
      ORDER BY i.deleted_at LIMIT row_limit FOR UPDATE SKIP LOCKED
    )
    DELETE FROM {{schema}}.items i USING old WHERE i.namespace = old.namespace AND i.key = old.key;
    GET DIAGNOSTICS purged = ROW_COUNT;
  END IF;
  SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO drawn FROM {{schema}}.versions s;
  holders := array_to_string(ARRAY(SELECT {{schema}}.writers()), ',');
  IF fence_version < drawn THEN
    INSERT INTO {{schema}}.meta (name, value) VALUES ('fence', drawn || ':' || holders)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = clock_timestamp();
  END IF;
  RETURN purged;
END $$;

-- Drops the start of the log: what every consumer has read and is old enough, and in any case what is
-- more than `rows_max` behind. Consumers that are left behind must start again from the items.
-- trimmed_xid lets a cache follower see whether something it has not read is gone.
CREATE FUNCTION {{schema}}.trim_changes(row_limit int, age_seconds float8, rows_max bigint, settled bigint)
RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  trimmed bigint; newest bigint; oldest_needed bigint; must_go bigint; gone int; gone_id bigint; gone_xid numeric;
BEGIN
  SELECT m.value::bigint INTO trimmed FROM {{schema}}.meta m WHERE m.name = 'trimmed_id' FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN 0; END IF;
  UPDATE {{schema}}.meta m SET value = settled::text, at = clock_timestamp()
  WHERE m.name = 'settled_id' AND m.value::bigint < settled;
  newest := (SELECT c.id FROM {{schema}}.changes c ORDER BY c.id DESC LIMIT 1);
  must_go := newest - rows_max;
  oldest_needed := (SELECT min(c.position) FROM {{schema}}.consumers c WHERE NOT c.rebuild);
  WITH old AS MATERIALIZED (
    SELECT c.id FROM (SELECT * FROM {{schema}}.changes ORDER BY id LIMIT row_limit) AS c
    WHERE c.id <= must_go
       OR c.id <= least(settled, oldest_needed) AND c.at < now() - make_interval(secs => age_seconds)
  ), dropped AS (
    DELETE FROM {{schema}}.changes c USING old WHERE c.id = old.id RETURNING c.id, c.xid
  )
  SELECT count(*), max(id), max(xid::text::numeric) INTO gone, gone_id, gone_xid FROM dropped;
  IF gone = 0 THEN RETURN 0; END IF;
  UPDATE {{schema}}.meta m SET at = clock_timestamp(), value = CASE m.name
    WHEN 'trimmed_id' THEN greatest(m.value::bigint, gone_id)::text
    ELSE greatest(m.value::numeric, gone_xid)::text END
  WHERE m.name IN ('trimmed_id', 'trimmed_xid');
  UPDATE {{schema}}.consumers c SET rebuild = true, updated_at = clock_timestamp()
  WHERE NOT c.rebuild AND c.position < gone_id;
  RETURN gone;
END $$;
