-- Items, their change log and what hangs on them. The namespace leads every key, so that the tables
-- can be hash-partitioned or distributed by it without a rewrite. PostgreSQL 15's SQL.
-- Runs inside the schema that the search_path names; `{{schema}}` is replaced by its quoted name.

CREATE EXTENSION IF NOT EXISTS btree_gin;

-- One sequence for all versions and fences. CACHE 1: a cached block would hand out old numbers late.
CREATE SEQUENCE {{schema}}.versions AS bigint MAXVALUE 9007199254740991 CACHE 1;

CREATE TABLE {{schema}}.items (
  namespace  text COLLATE "C" NOT NULL,
  key        text COLLATE "C" NOT NULL,
  version    bigint NOT NULL,
  -- A deleted or expired item stays as a tombstone (no body, no metadata) until it is purged.
  deleted    boolean NOT NULL DEFAULT false,
  body       bytea,
  metadata   jsonb NOT NULL DEFAULT '{}',
  tags       text[] COLLATE "C" NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  PRIMARY KEY (namespace, key)
) WITH (fillfactor = 90);

-- Bodies are compressed and checked by the codec; a second compression costs time for nothing.
ALTER TABLE {{schema}}.items ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE INDEX items_metadata ON {{schema}}.items USING gin (namespace, metadata jsonb_path_ops)
  WHERE NOT deleted;
CREATE INDEX items_tags ON {{schema}}.items USING gin (namespace, tags) WHERE NOT deleted;
CREATE INDEX items_expiry ON {{schema}}.items (expires_at) WHERE NOT deleted AND expires_at IS NOT NULL;
CREATE INDEX items_tombstones ON {{schema}}.items (updated_at) WHERE deleted;

-- Every change, in the transaction that made it. Ids are not in commit order: readers go by xid.
CREATE TABLE {{schema}}.changes (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
  namespace text COLLATE "C" NOT NULL,
  key       text COLLATE "C" NOT NULL,
  version   bigint NOT NULL,
  op        text NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A clear hides every item of the namespace whose version is not above it; bodies go later.
CREATE TABLE {{schema}}.namespace_clears (
  namespace text COLLATE "C" PRIMARY KEY,
  below     boolean NOT NULL,
  version   bigint NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE {{schema}}.idempotency (
  namespace    text COLLATE "C" NOT NULL,
  id           text COLLATE "C" NOT NULL,
  request_hash text NOT NULL,
  receipt      jsonb NOT NULL,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (namespace, id)
);
CREATE INDEX idempotency_at ON {{schema}}.idempotency (at);

CREATE TABLE {{schema}}.jobs (
  id         text COLLATE "C" PRIMARY KEY,
  namespace  text COLLATE "C" NOT NULL,
  kind       text NOT NULL,
  selection  jsonb NOT NULL,
  state      text NOT NULL DEFAULT 'running',
  forgotten  bigint NOT NULL DEFAULT 0,
  cursor     text,
  error      text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX jobs_running ON {{schema}}.jobs (created_at) WHERE state = 'running';

CREATE TABLE {{schema}}.consumers (
  name       text COLLATE "C" PRIMARY KEY,
  position   bigint NOT NULL,
  rebuild    boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- epoch: changed by a restore. fence_*: two-phase purge of tombstones. trimmed_id: the change log's start.
CREATE TABLE {{schema}}.meta (
  name  text PRIMARY KEY,
  value text NOT NULL,
  at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO {{schema}}.meta (name, value) VALUES ('epoch', gen_random_uuid()::text), ('trimmed_id', '0');

-- The version at and below which everything in this namespace is cleared (0: nothing). Volatile, so
-- that a statement that waited for a clear sees it; the shared lock makes a clear wait for writers.
CREATE FUNCTION {{schema}}.cleared_version(ns text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('cherry-clear', 0));
  RETURN (SELECT coalesce(max(c.version), 0) FROM {{schema}}.namespace_clears c
          WHERE c.namespace = ns
             OR (c.below AND (c.namespace = '' OR starts_with(ns, c.namespace || '/'))));
END $$;
