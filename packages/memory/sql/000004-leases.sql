-- Leases for loaders: one server at a time computes an item that is not there. And removals that leave
-- a trace where nothing was.

-- UNLOGGED, for a crash of the server may empty it: then a second loader is called, and what the first
-- one brings is refused, as its token stands nowhere. Nothing durable rests on it, and a lease costs no
-- write-ahead log. (A standby that takes over starts without leases for the same reason.)
-- seen_version: the newest version, of the item, its tombstone or a clear, when the lease was granted.
CREATE UNLOGGED TABLE {{schema}}.leases (
  namespace    text COLLATE "C" NOT NULL,
  key          text COLLATE "C" NOT NULL,
  token        text NOT NULL,
  seen_version bigint NOT NULL,
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (namespace, key)
);

-- How a key is now. newest: of its row, alive or dead, and of clears. is_due: it has expired and waits
-- for the sweep. Whatever is written after this was read has a greater version than newest.
CREATE FUNCTION {{schema}}.key_state(
  wanted_namespace text, wanted_key text, OUT newest bigint, OUT is_live boolean, OUT is_due boolean
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  cleared bigint := {{schema}}.cleared_version(wanted_namespace);
  found_version bigint; is_kept boolean; is_over boolean;
BEGIN
  SELECT i.version, i.deleted_at IS NULL AND i.version > cleared,
    i.expires_at IS NOT NULL AND i.expires_at <= clock_timestamp()
  INTO found_version, is_kept, is_over FROM {{schema}}.items i
  WHERE i.namespace = wanted_namespace AND i.key = wanted_key;
  newest := greatest(found_version, cleared);
  is_live := coalesce(is_kept AND NOT is_over, false);
  is_due := coalesce(is_kept AND is_over, false);
END $$;

-- outcome: found (a live item is there), held (by another; for so long at most, unless it is renewed)
-- or granted. Without a lifetime nobody else is kept out and nothing is written: the answer only says
-- as of which version the key is absent.
-- A lease whose key has changed since it was granted is given to the next who asks: what its holder
-- brings will be refused, and who comes after a delete must not wait for what was loaded before it.
-- Locks in the order of store_loaded: write lock, item, lease.
CREATE FUNCTION {{schema}}.take_lease(
  wanted_namespace text, wanted_key text, lifetime float8,
  OUT outcome text, OUT granted_token text, OUT newest_version bigint, OUT held_ms float8
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  state record;
BEGIN
  SELECT * INTO state FROM {{schema}}.key_state(wanted_namespace, wanted_key);
  IF state.is_due THEN
    -- The sweep would do it at any moment, with a new version, and that must not look like a change
    -- by somebody: a loader's value would be refused for nothing.
    PERFORM {{schema}}.begin_write();
    WITH gone AS (
      UPDATE {{schema}}.items i SET version = greatest(i.version + 1, nextval('{{schema}}.versions')),
        body = NULL, metadata = '{}', tags = '{}', indexing = NULL, expires_at = NULL,
        updated_at = clock_timestamp(), deleted_at = clock_timestamp()
      WHERE i.namespace = wanted_namespace AND i.key = wanted_key
        AND i.deleted_at IS NULL AND i.expires_at <= clock_timestamp()
      RETURNING i.namespace, i.key, i.version
    )
    INSERT INTO {{schema}}.changes (namespace, key, version, op)
    SELECT gone.namespace, gone.key, gone.version, 'expire' FROM gone;
    SELECT * INTO state FROM {{schema}}.key_state(wanted_namespace, wanted_key);
  END IF;
  IF state.is_live THEN outcome := 'found'; RETURN; END IF;
  newest_version := state.newest;
  IF lifetime IS NULL THEN outcome := 'granted'; RETURN; END IF;

  -- Those who wait ask again and again, which must cost no write.
  SELECT date_part('epoch', l.expires_at - clock_timestamp()) * 1000 INTO held_ms FROM {{schema}}.leases l
  WHERE l.namespace = wanted_namespace AND l.key = wanted_key
    AND l.expires_at > clock_timestamp() AND l.seen_version >= state.newest;
  IF FOUND THEN outcome := 'held'; RETURN; END IF;

  INSERT INTO {{schema}}.leases AS l (namespace, key, token, seen_version, expires_at)
  VALUES (wanted_namespace, wanted_key, gen_random_uuid()::text, state.newest,
    clock_timestamp() + make_interval(secs => lifetime))
  ON CONFLICT (namespace, key) DO UPDATE
    SET token = excluded.token, seen_version = excluded.seen_version, expires_at = excluded.expires_at
    WHERE l.expires_at <= clock_timestamp() OR l.seen_version < excluded.seen_version
  RETURNING l.token INTO granted_token;
  -- Somebody was quicker.
  IF granted_token IS NULL THEN outcome := 'held'; held_ms := lifetime * 1000; RETURN; END IF;

  -- Its last holder may have stored meanwhile. That ended his lease in one transaction with the item,
  -- so whoever has the lease now sees the item now.
  SELECT * INTO state FROM {{schema}}.key_state(wanted_namespace, wanted_key);
  IF state.is_live THEN
    DELETE FROM {{schema}}.leases l WHERE l.namespace = wanted_namespace AND l.key = wanted_key;
    outcome := 'found'; granted_token := NULL;
    RETURN;
  END IF;
  IF state.newest > newest_version THEN
    UPDATE {{schema}}.leases l SET seen_version = state.newest
    WHERE l.namespace = wanted_namespace AND l.key = wanted_key;
    newest_version := state.newest;
  END IF;
  outcome := 'granted';
END $$;

-- Whether the lease stood and its key is as it was; then it has a new lifetime.
CREATE FUNCTION {{schema}}.renew_lease(
  wanted_namespace text, wanted_key text, claim_token text, lifetime float8
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  state record;
BEGIN
  SELECT * INTO state FROM {{schema}}.key_state(wanted_namespace, wanted_key);
  UPDATE {{schema}}.leases l SET expires_at = clock_timestamp() + make_interval(secs => lifetime)
  WHERE l.namespace = wanted_namespace AND l.key = wanted_key AND l.token = claim_token
    AND l.expires_at > clock_timestamp() AND l.seen_version >= state.newest;
  RETURN FOUND;
END $$;

-- A put of what a loader brought: only if nothing was written, removed or cleared since the key was
-- seen at version `seen`, and the lease stands, if there is a token. Versions of a key only rise, so
-- one comparison tells; what a sweep makes of a clear or of an old tombstone is never above `seen`.
-- The lease ends here in any case. The answer is that of write_items.
CREATE FUNCTION {{schema}}.store_loaded(
  wanted_namespace text, wanted_key text, new_body bytea, new_metadata text, new_tags text,
  new_indexing bytea,
  lifetime float8, expiry float8, claim_token text, seen bigint,
  OUT outcome text, OUT results {{schema}}.write_results, OUT now_us bigint
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  old_version bigint; is_there boolean; stands boolean; state record;
  at timestamptz; ends timestamptz; drawn bigint; at_us bigint;
BEGIN
  PERFORM {{schema}}.begin_write();
  SELECT i.version INTO old_version FROM {{schema}}.items i
  WHERE i.namespace = wanted_namespace AND i.key = wanted_key FOR UPDATE;
  is_there := FOUND;
  DELETE FROM {{schema}}.leases l
  WHERE l.namespace = wanted_namespace AND l.key = wanted_key AND l.token = claim_token
    AND l.expires_at > clock_timestamp();
  stands := FOUND OR claim_token IS NULL;
  SELECT * INTO state FROM {{schema}}.key_state(wanted_namespace, wanted_key);
  at := clock_timestamp();
  now_us := {{schema}}.microseconds(at);
  outcome := 'written';
  IF NOT stands OR state.newest > seen OR state.is_live THEN
    results := ROW(ARRAY['conflict'], ARRAY[CASE WHEN state.is_live THEN state.newest END],
      NULL, NULL, NULL)::{{schema}}.write_results;
    RETURN;
  END IF;

  drawn := greatest(old_version + 1, nextval('{{schema}}.versions'));
  ends := CASE WHEN expiry IS NULL THEN at + make_interval(secs => lifetime)
               ELSE to_timestamp(expiry / 1000) END;
  IF is_there THEN
    UPDATE {{schema}}.items i SET version = drawn, body = new_body, metadata = new_metadata::jsonb,
      tags = new_tags::text[], indexing = new_indexing, created_at = at, updated_at = at, expires_at = ends, deleted_at = NULL
    WHERE i.namespace = wanted_namespace AND i.key = wanted_key;
  ELSE
    INSERT INTO {{schema}}.items
      (namespace, key, version, body, metadata, tags, indexing, created_at, updated_at, expires_at)
    VALUES (wanted_namespace, wanted_key, drawn, new_body, new_metadata::jsonb, new_tags::text[],
      new_indexing, at, at, ends)
    ON CONFLICT DO NOTHING;
    -- The row could not be locked before it was there: all is judged again.
    IF NOT FOUND THEN
      RAISE SQLSTATE '40001' USING MESSAGE = 'an item was created meanwhile';
    END IF;
  END IF;
  INSERT INTO {{schema}}.changes (namespace, key, version, op, at)
  VALUES (wanted_namespace, wanted_key, drawn, 'put', at);
  at_us := {{schema}}.microseconds(at);
  results := ROW(ARRAY['written'], ARRAY[drawn], ARRAY[at_us], ARRAY[at_us],
    ARRAY[{{schema}}.microseconds(ends)])::{{schema}}.write_results;
END $$;

-- Makes a tombstone and a change of each removal that found no live item and is to leave a trace
-- ("erase"), with the version that was drawn for it. It comes after apply_operations, which has locked
-- the rows that are there.
CREATE FUNCTION {{schema}}.leave_traces(
  kinds text[], namespaces text[], keys text[], statuses text[], new_versions bigint[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  traces int; made int; at timestamptz := clock_timestamp();
BEGIN
  traces := (SELECT count(*) FROM unnest(kinds, statuses) AS o (kind, status)
             WHERE o.kind = 'erase' AND o.status = 'absent');
  IF traces = 0 THEN RETURN; END IF;
  WITH wanted AS MATERIALIZED (
    SELECT o.namespace, o.key, o.version
    FROM unnest(kinds, namespaces, keys, statuses, new_versions) AS o (kind, namespace, key, status, version)
    WHERE o.kind = 'erase' AND o.status = 'absent' ORDER BY o.namespace, o.key
  ), marked AS (
    -- A row that came after the locks were taken has a version of its own and is not to be covered.
    INSERT INTO {{schema}}.items AS i (namespace, key, version, created_at, updated_at, deleted_at)
    SELECT w.namespace, w.key, w.version, at, at, at FROM wanted w
    ON CONFLICT (namespace, key) DO UPDATE SET version = excluded.version, body = NULL, metadata = '{}',
      tags = '{}', indexing = NULL, expires_at = NULL, updated_at = at, deleted_at = at
    WHERE i.version < excluded.version AND (i.deleted_at IS NOT NULL OR i.expires_at <= clock_timestamp()
      OR i.version <= {{schema}}.cleared_version(i.namespace))
    RETURNING i.namespace, i.key, i.version
  ), logged AS (
    INSERT INTO {{schema}}.changes (namespace, key, version, op, at)
    SELECT m.namespace, m.key, m.version, 'remove', at FROM marked m
  )
  SELECT count(*) INTO made FROM marked;
  IF made <> traces THEN
    RAISE SQLSTATE '40001' USING MESSAGE = 'an item was created meanwhile';
  END IF;
END $$;
