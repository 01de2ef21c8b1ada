-- How items change. Functions, so that a batch is one round trip whose steps each see what was
-- committed while the step before waited for a lock: a single statement keeps its first snapshot.
--
-- Writers take locks in one order, so that they do not deadlock: the write lock, shared; an
-- idempotency key; rows by (namespace, key). (A batch with conditions, removals or touches locks the
-- rows that are there before it makes new ones. If such a new one is being made by another batch that
-- waits for one of those rows, PostgreSQL ends one of the two and it is done again.)
--
-- A function's body is looked up when it is called, so these may call what later files make.

-- Writers hold this lock shared until they commit and a clear holds it alone. So a clear's version is
-- above all that was written before it, and a writer that comes after sees the clear.
-- It is taken before anything is drawn from a sequence: whoever has drawn a number and has not ended
-- can be seen to hold it, which readers of the log and the purge rely on.
CREATE FUNCTION {{schema}}.begin_write() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM {{schema}}.flush_on_commit();
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('{{schema}}.items', 0));
END $$;

-- The version at and below which everything in this namespace is cleared (0: nothing).
CREATE FUNCTION {{schema}}.cleared_version(ns text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  segments text[] := string_to_array(ns, '/');
BEGIN
  RETURN (SELECT coalesce(max(c.version), 0)
          FROM generate_series(0, cardinality(segments)) AS depth
          JOIN {{schema}}.namespace_clears c
            ON c.namespace = array_to_string(segments[1:depth], '/')
           AND (c.below OR depth = cardinality(segments)));
END $$;

-- Results by operation, as parallel arrays: a JSON array a row took a fifth of a batch's time.
-- statuses: written, absent or conflict; null = all written. versions: of a conflict the live item's.
-- Times in microseconds since the epoch. A live item was there before if created is below updated.
CREATE TYPE {{schema}}.write_results AS (
  statuses text[], versions bigint[], created_us bigint[], updated_us bigint[], expires_us bigint[]
);

CREATE FUNCTION {{schema}}.microseconds(t timestamptz) RETURNS bigint LANGUAGE sql STABLE AS
  $$ SELECT (date_part('epoch', t) * 1000000)::bigint $$;

-- Whether a row's time can be one that was written: of a damaged row the next write makes another.
CREATE FUNCTION {{schema}}.is_sound(t timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  $$ SELECT t > '-infinity'::timestamptz AND t < to_timestamp(253402300800) $$;

-- Claims an idempotency key for this transaction. No outcome: go on; the receipt is stored at the end.
-- Waits for another transaction that has the same key in hand.
CREATE FUNCTION {{schema}}.claim_idempotency(
  token_namespace text, token_id text, token_hash text,
  OUT outcome text, OUT results {{schema}}.write_results
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  claimed record;
BEGIN
  INSERT INTO {{schema}}.idempotency AS known (namespace, id, request_hash)
  VALUES (token_namespace, token_id, token_hash)
  ON CONFLICT (namespace, id) DO UPDATE
    SET request_hash = excluded.request_hash, receipt = NULL, at = excluded.at
    WHERE known.at < clock_timestamp() - interval '24 hours';
  SELECT known.request_hash, known.receipt INTO claimed FROM {{schema}}.idempotency known
  WHERE known.namespace = token_namespace AND known.id = token_id;
  IF claimed.request_hash <> token_hash THEN
    outcome := 'mismatch';
  ELSIF claimed.receipt IS NOT NULL THEN
    outcome := 'replayed';
    results := jsonb_populate_record(NULL::{{schema}}.write_results, claimed.receipt);
  END IF;
END $$;

-- Puts without conditions: the fast way, one statement. In the order of (namespace, key). One
-- namespace alone stands for all of them; no indexings, lifetimes or expiries: none has one.
-- The number is drawn before the row's lock is taken. If a row is there whose version is above it, one
-- is drawn again under the lock. So every version is above all before it, and at or below the last
-- one drawn, which clears and purges rely on.
-- RETURNING cannot show the old row, hence updated_at: above created_at if and only if a live item was
-- there, whatever the clock does.
CREATE FUNCTION {{schema}}.put_items(
  namespaces text[], keys text[], bodies bytea[], metadatas text[], tag_lists text[],
  indexings bytea[], lifetimes float8[], expiries float8[], at timestamptz
) RETURNS {{schema}}.write_results LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  results {{schema}}.write_results;
  any_clear boolean := EXISTS (SELECT FROM {{schema}}.namespace_clears);
BEGIN
  WITH written AS (
    INSERT INTO {{schema}}.items AS i
      (namespace, key, version, body, metadata, tags, indexing, created_at, updated_at, expires_at)
    SELECT coalesce(o.namespace, namespaces[1]), o.key, nextval('{{schema}}.versions'), o.body, o.metadata::jsonb, o.tags::text[],
      o.indexing, at, at, CASE WHEN o.expiry IS NULL THEN at + make_interval(secs => o.lifetime)
                   ELSE to_timestamp(o.expiry / 1000) END
    FROM unnest(namespaces, keys, bodies, metadatas, tag_lists, indexings, lifetimes, expiries)
      AS o (namespace, key, body, metadata, tags, indexing, lifetime, expiry)
    ON CONFLICT (namespace, key) DO UPDATE SET
      version = CASE WHEN excluded.version > i.version THEN excluded.version
                     ELSE greatest(i.version + 1, nextval('{{schema}}.versions')) END,
      body = excluded.body, metadata = excluded.metadata, tags = excluded.tags, indexing = excluded.indexing,
      (created_at, updated_at) = (SELECT
          CASE WHEN NOT old.is_live THEN excluded.created_at
               WHEN {{schema}}.is_sound(i.created_at) THEN i.created_at
               ELSE excluded.created_at - interval '1 microsecond' END,
          CASE WHEN old.is_live AND {{schema}}.is_sound(i.updated_at)
               THEN greatest(excluded.updated_at, i.updated_at + interval '1 microsecond')
               ELSE excluded.updated_at END
        FROM (SELECT i.deleted_at IS NULL AND (i.expires_at IS NULL OR i.expires_at > clock_timestamp())
          AND (NOT any_clear OR i.version > {{schema}}.cleared_version(i.namespace)) AS is_live) AS old),
      expires_at = excluded.expires_at, deleted_at = NULL
    RETURNING namespace, key, version, created_at, updated_at, expires_at
  ), logged AS (
    INSERT INTO {{schema}}.changes (namespace, key, version, op, at)
    SELECT namespace, key, version, 'put', at FROM written
  )
  SELECT NULL, array_agg(w.version), array_agg({{schema}}.microseconds(w.created_at)),
    array_agg({{schema}}.microseconds(w.updated_at)), array_agg({{schema}}.microseconds(w.expires_at))
  INTO results FROM (SELECT * FROM written ORDER BY namespace, key) AS w;
  RETURN results;
END $$;

-- Any operations. In the order of (namespace, key).
-- conditions: a version, -1 = no live item, -2 = any live item, null = none.
-- indexings: an empty one keeps what the item has.
-- on_conflict: report = the others are written; abort = nothing is written; retry = raises 40001.
CREATE FUNCTION {{schema}}.apply_operations(
  kinds text[], namespaces text[], keys text[], bodies bytea[], metadatas text[], tag_lists text[],
  indexings bytea[], lifetimes float8[], expiries float8[], conditions int8[], on_conflict text,
  OUT outcome text, OUT results {{schema}}.write_results
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  locked int; existing int; fresh int; changed int; failed int; -- counts of operations
  any_clear boolean := EXISTS (SELECT FROM {{schema}}.namespace_clears);
  at timestamptz;
  statuses text[]; was_there boolean[]; was_live boolean[];
  new_versions bigint[]; born timestamptz[]; written_at timestamptz[]; ends timestamptz[];
BEGIN
  SELECT count(*) INTO locked FROM (
    SELECT FROM unnest(namespaces, keys) AS o (namespace, key)
    JOIN {{schema}}.items i ON i.namespace = o.namespace AND i.key = o.key
    ORDER BY i.namespace, i.key FOR UPDATE OF i) AS rows;

  -- From here on nobody else changes these rows. Their time of expiry is judged now, after the wait.
  at := clock_timestamp();
  WITH judged AS MATERIALIZED (
    SELECT o.ord, o.kind, i.version AS old_version, i.created_at, i.updated_at, live.is_live,
      CASE
        WHEN o.condition IS NULL THEN
          CASE WHEN o.kind = 'put' OR live.is_live THEN 'written' ELSE 'absent' END
        WHEN o.condition = -1 THEN
          CASE WHEN live.is_live THEN 'conflict' WHEN o.kind = 'put' THEN 'written' ELSE 'absent' END
        WHEN live.is_live AND (o.condition = -2 OR o.condition = i.version) THEN 'written'
        ELSE 'conflict'
      END AS status,
      CASE
        WHEN o.kind = 'remove' THEN NULL
        WHEN o.expiry IS NOT NULL THEN to_timestamp(o.expiry / 1000)
        ELSE at + make_interval(secs => o.lifetime)
      END AS ends_at
    FROM unnest(kinds, namespaces, keys, lifetimes, expiries, conditions) WITH ORDINALITY
      AS o (kind, namespace, key, lifetime, expiry, condition, ord)
    LEFT JOIN {{schema}}.items i ON i.namespace = o.namespace AND i.key = o.key
    CROSS JOIN LATERAL (SELECT
      i.key IS NOT NULL AND i.deleted_at IS NULL AND (i.expires_at IS NULL OR i.expires_at > at)
      AND (NOT any_clear OR i.version > {{schema}}.cleared_version(o.namespace)) AS is_live) AS live
  ), drawn AS (
    -- Drawn under the row's lock. Of a row that is not there yet another transaction may commit the
    -- first version meanwhile: then the insert below finds it, and all is done again.
    SELECT *, CASE WHEN status = 'conflict' THEN old_version
      ELSE greatest(old_version + 1, nextval('{{schema}}.versions')) END AS version
    FROM judged
  )
  SELECT array_agg(status ORDER BY ord), array_agg(old_version IS NOT NULL ORDER BY ord),
    array_agg(is_live ORDER BY ord), array_agg(version ORDER BY ord),
    array_agg(CASE WHEN NOT is_live THEN at WHEN {{schema}}.is_sound(created_at) THEN created_at
      ELSE at - interval '1 microsecond' END ORDER BY ord),
    array_agg(CASE WHEN is_live AND {{schema}}.is_sound(updated_at)
      THEN greatest(at, updated_at + interval '1 microsecond') ELSE at END ORDER BY ord),
    array_agg(ends_at ORDER BY ord), count(old_version),
    count(*) FILTER (WHERE status = 'written' AND old_version IS NULL),
    count(*) FILTER (WHERE status = 'written' AND old_version IS NOT NULL),
    count(*) FILTER (WHERE status = 'conflict')
  INTO statuses, was_there, was_live, new_versions, born, written_at, ends, existing, fresh, changed, failed
  FROM drawn;
  -- A row came after the locks were taken. Locking it now would break the order of locks.
  IF existing <> locked THEN
    RAISE SQLSTATE '40001' USING MESSAGE = 'an item was created meanwhile';
  END IF;
  IF failed > 0 AND on_conflict = 'retry' THEN
    RAISE SQLSTATE '40001' USING MESSAGE = 'an item was changed meanwhile';
  END IF;

  SELECT statuses,
    array_agg(CASE WHEN status <> 'conflict' OR is_live THEN version END ORDER BY ord),
    array_agg({{schema}}.microseconds(created_at) ORDER BY ord),
    array_agg({{schema}}.microseconds(updated_at) ORDER BY ord),
    array_agg({{schema}}.microseconds(ends_at) ORDER BY ord)
  INTO results
  FROM unnest(statuses, new_versions, was_live, born, written_at, ends) WITH ORDINALITY
    AS o (status, version, is_live, created_at, updated_at, ends_at, ord);
  outcome := CASE
    WHEN failed > 0 AND on_conflict = 'abort' THEN 'aborted'
    WHEN failed = cardinality(keys) THEN 'unchanged'
    ELSE 'written' END;
  IF outcome <> 'written' THEN RETURN; END IF;

  IF fresh > 0 THEN
    INSERT INTO {{schema}}.items
      (namespace, key, version, body, metadata, tags, indexing, created_at, updated_at, expires_at)
    SELECT o.namespace, o.key, o.version, o.body, o.metadata::jsonb, o.tags::text[],
      nullif(o.indexing, ''), at, at, o.ends_at
    FROM unnest(namespaces, keys, bodies, metadatas, tag_lists, indexings, statuses, was_there,
        new_versions, ends)
      AS o (namespace, key, body, metadata, tags, indexing, status, existed, version, ends_at)
    WHERE o.status = 'written' AND NOT o.existed
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS existing = ROW_COUNT;
    IF existing <> fresh THEN
      RAISE SQLSTATE '40001' USING MESSAGE = 'an item was created meanwhile';
    END IF;
  END IF;
  IF changed > 0 THEN
    UPDATE {{schema}}.items i SET
      version = o.version,
      body = CASE o.kind WHEN 'put' THEN o.body WHEN 'touch' THEN i.body END,
      metadata = CASE o.kind WHEN 'put' THEN o.metadata::jsonb WHEN 'touch' THEN i.metadata ELSE '{}' END,
      tags = CASE o.kind WHEN 'put' THEN o.tags::text[] WHEN 'touch' THEN i.tags ELSE '{}' END,
      indexing = CASE WHEN o.kind = 'touch' OR o.kind = 'put' AND o.indexing = '' THEN i.indexing
        ELSE o.indexing END,
      created_at = o.created_at, updated_at = o.updated_at, expires_at = o.ends_at,
      deleted_at = CASE o.kind WHEN 'remove' THEN at END
    FROM unnest(kinds, namespaces, keys, bodies, metadatas, tag_lists, indexings, statuses, was_there,
        new_versions, born, written_at, ends)
      AS o (kind, namespace, key, body, metadata, tags, indexing, status, existed, version,
        created_at, updated_at, ends_at)
    WHERE i.namespace = o.namespace AND i.key = o.key AND o.status = 'written' AND o.existed;
  END IF;
  INSERT INTO {{schema}}.changes (namespace, key, version, op, at)
  SELECT o.namespace, o.key, o.version, o.kind, at
  FROM unnest(kinds, namespaces, keys, statuses, new_versions)
    AS o (kind, namespace, key, status, version)
  WHERE o.status = 'written';
END $$;

-- One write: operations on distinct keys as parallel arrays, see apply_operations; without `kinds`
-- they are puts without conditions. A kind more, "erase": a removal that leaves a trace also where it
-- finds nothing.
-- outcome: written, aborted (nothing was written), replayed (the results are an earlier write's) or
-- mismatch (the idempotency key is another request's).
CREATE FUNCTION {{schema}}.write_items(
  kinds text[], namespaces text[], keys text[], bodies bytea[], metadatas text[], tag_lists text[],
  indexings bytea[], lifetimes float8[], expiries float8[], conditions int8[], on_conflict text,
  token_namespace text, token_id text, token_hash text,
  OUT outcome text, OUT results {{schema}}.write_results, OUT now_us bigint
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  at timestamptz; step record;
BEGIN
  PERFORM {{schema}}.begin_write();
  IF token_id IS NOT NULL THEN
    SELECT * INTO step FROM {{schema}}.claim_idempotency(token_namespace, token_id, token_hash);
    outcome := step.outcome;
    results := step.results;
  END IF;
  at := clock_timestamp();
  now_us := {{schema}}.microseconds(at);
  IF outcome IS NOT NULL THEN RETURN; END IF;

  IF kinds IS NULL THEN
    outcome := 'written';
    results := {{schema}}.put_items(
      namespaces, keys, bodies, metadatas, tag_lists, indexings, lifetimes, expiries, at);
  ELSE
    -- To remove what is being loaded is a change although nothing is there: what the loader brings is
    -- older than the removal.
    IF 'remove' = ANY (kinds) AND EXISTS (SELECT FROM {{schema}}.leases) THEN
      kinds := ARRAY(
        SELECT CASE WHEN o.kind = 'remove' AND EXISTS (
          SELECT FROM {{schema}}.leases l WHERE l.namespace = o.namespace AND l.key = o.key
        ) THEN 'erase' ELSE o.kind END
        FROM unnest(kinds, namespaces, keys) WITH ORDINALITY AS o (kind, namespace, key, ord)
        ORDER BY o.ord);
    END IF;
    SELECT * INTO step FROM {{schema}}.apply_operations(array_replace(kinds, 'erase', 'remove'),
      namespaces, keys, bodies, metadatas, tag_lists, indexings, lifetimes, expiries, conditions,
      on_conflict);
    outcome := step.outcome;
    results := step.results;
    IF outcome = 'written' AND 'erase' = ANY (kinds) THEN
      PERFORM {{schema}}.leave_traces(kinds, namespaces, keys, results.statuses, results.versions);
    END IF;
  END IF;
  IF token_id IS NOT NULL AND outcome = 'written' THEN
    UPDATE {{schema}}.idempotency SET receipt = to_jsonb(results)
    WHERE namespace = token_namespace AND id = token_id;
  ELSIF token_id IS NOT NULL THEN
    -- Nothing was written, so there is no receipt to repeat.
    DELETE FROM {{schema}}.idempotency WHERE namespace = token_namespace AND id = token_id;
  END IF;
  IF outcome = 'unchanged' THEN outcome := 'written'; END IF;
END $$;

-- Opens a transaction that reads one item and then writes it: takes the locks in their order and gives
-- the item if it is live, or what claim_idempotency says of a request that was made before.
CREATE FUNCTION {{schema}}.lock_item(
  wanted_namespace text, wanted_key text, token_namespace text, token_id text, token_hash text,
  OUT outcome text, OUT results {{schema}}.write_results, OUT now_us bigint, OUT item {{schema}}.items
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  step record;
BEGIN
  PERFORM {{schema}}.begin_write();
  IF token_id IS NOT NULL THEN
    SELECT * INTO step FROM {{schema}}.claim_idempotency(token_namespace, token_id, token_hash);
    outcome := step.outcome;
    results := step.results;
  END IF;
  now_us := {{schema}}.microseconds(clock_timestamp());
  IF outcome IS NOT NULL THEN RETURN; END IF;
  SELECT i.* INTO item FROM {{schema}}.items i
  WHERE i.namespace = wanted_namespace AND i.key = wanted_key FOR UPDATE;
  IF item.deleted_at IS NOT NULL OR item.expires_at <= clock_timestamp()
    OR item.version <= {{schema}}.cleared_version(wanted_namespace) THEN item := NULL; END IF;
END $$;

-- Empties a namespace. Alone: no write is under way between the drawing of its version and its commit.
CREATE FUNCTION {{schema}}.clear_namespace(cleared text, with_below boolean)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  drawn bigint;
BEGIN
  PERFORM {{schema}}.flush_on_commit();
  PERFORM pg_advisory_xact_lock(hashtextextended('{{schema}}.items', 0));
  drawn := nextval('{{schema}}.versions');
  INSERT INTO {{schema}}.namespace_clears (namespace, below, version) VALUES (cleared, with_below, drawn)
  ON CONFLICT (namespace, below) DO UPDATE
    SET version = excluded.version, swept_namespace = '', swept_key = '', at = excluded.at;
  INSERT INTO {{schema}}.changes (namespace, key, version, op)
  VALUES (cleared, '', drawn, CASE WHEN with_below THEN 'clear-below' ELSE 'clear' END);
  RETURN drawn;
END $$;
