-- Items, their change log and what hangs on them. The namespace leads every key, so that the tables
-- can be hash-partitioned or distributed by it without a rewrite. PostgreSQL 15's SQL.
-- `{{schema}}` is replaced by the quoted name of the schema, which exists.

CREATE EXTENSION IF NOT EXISTS btree_gin;

-- One sequence for all versions and fences. CACHE 1: a cached block would hand out old numbers late.
CREATE SEQUENCE {{schema}}.versions AS bigint MAXVALUE 9007199254740991 CACHE 1;

CREATE TABLE {{schema}}.items (
  namespace  text COLLATE "C" NOT NULL,
  key        text COLLATE "C" NOT NULL,
  version    bigint NOT NULL,
  body       bytea,
  metadata   jsonb NOT NULL DEFAULT '{}',
  tags       text[] COLLATE "C" NOT NULL DEFAULT '{}',
  -- What of the item is searchable, encoded as bodies are; null = the defaults.
  indexing   bytea,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  expires_at timestamptz,
  -- A deleted or expired item stays as a tombstone (nothing but its version) until it is purged.
  deleted_at timestamptz,
  PRIMARY KEY (namespace, key)
) WITH (fillfactor = 90);

-- Bodies are compressed and checked by the codec; a second compression costs time for nothing.
ALTER TABLE {{schema}}.items ALTER COLUMN body SET STORAGE EXTERNAL;

-- No index holds a column that every write changes, so that an overwrite that keeps metadata, tags
-- and lifetime touches no index (a heap-only update). Items without metadata or tags cost GIN nothing.
CREATE INDEX items_metadata ON {{schema}}.items USING gin (namespace, metadata jsonb_path_ops)
  WHERE deleted_at IS NULL AND metadata <> '{}';
CREATE INDEX items_tags ON {{schema}}.items USING gin (namespace, tags)
  WHERE deleted_at IS NULL AND tags <> '{}';
CREATE INDEX items_expiry ON {{schema}}.items (expires_at)
  WHERE deleted_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX items_tombstones ON {{schema}}.items (deleted_at) WHERE deleted_at IS NOT NULL;

-- Every change, in the transaction that made it. Ids are not in commit order, but those of one key are:
-- an id is drawn under the lock of its item's row, which is held until the commit. (xids are not even
-- that: a transaction may have its number long before it waits for the row.) So a reader that has
-- waited for late commits gives changes by id.
-- op: put, remove, touch, expire, clear (that namespace alone), clear-below (all below it too).
CREATE TABLE {{schema}}.changes (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
  namespace text COLLATE "C" NOT NULL,
  key       text COLLATE "C" NOT NULL,
  version   bigint NOT NULL,
  op        text NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A cache follower asks for the transactions that its last snapshot did not show.
CREATE INDEX changes_xid ON {{schema}}.changes (xid);

-- A clear hides every item of the namespace whose version is not above it. The sweep walks the
-- namespace from `swept_*` on, turns what is hidden into tombstones, and then drops the clear.
CREATE TABLE {{schema}}.namespace_clears (
  namespace       text COLLATE "C" NOT NULL,
  below           boolean NOT NULL,
  version         bigint NOT NULL,
  swept_namespace text COLLATE "C" NOT NULL DEFAULT '',
  swept_key       text COLLATE "C" NOT NULL DEFAULT '',
  at              timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (namespace, below)
);

-- receipt: null only inside the transaction that writes it.
CREATE TABLE {{schema}}.idempotency (
  namespace    text COLLATE "C" NOT NULL,
  id           text COLLATE "C" NOT NULL,
  request_hash text NOT NULL,
  receipt      jsonb,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (namespace, id)
);
CREATE INDEX idempotency_at ON {{schema}}.idempotency (at);

-- selection: json, not jsonb, which would put its members into another order: cursors are bound to its
-- text. fence: a version that was drawn when the job was made. A write that begins once that is known
-- draws a greater one, or draws again under the lock of a row whose version is greater already; so what
-- is at or below the fence was there or under way, and the job leaves all else alone. A clear must keep
-- writers out while it draws, for it must hide all that is below its version at once. A job judges each
-- item by its own version, under the row's lock.
CREATE TABLE {{schema}}.jobs (
  id         text COLLATE "C" PRIMARY KEY DEFAULT gen_random_uuid()::text,
  namespace  text COLLATE "C" NOT NULL,
  kind       text NOT NULL,
  selection  json NOT NULL,
  fence      bigint NOT NULL DEFAULT nextval('{{schema}}.versions'),
  state      text NOT NULL DEFAULT 'running',
  forgotten  bigint NOT NULL DEFAULT 0,
  cursor     text,
  error      text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX jobs_running ON {{schema}}.jobs (created_at) WHERE state = 'running';
CREATE INDEX jobs_finished ON {{schema}}.jobs (updated_at) WHERE state <> 'running';

CREATE TABLE {{schema}}.consumers (
  name       text COLLATE "C" PRIMARY KEY,
  position   bigint NOT NULL,
  rebuild    boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- epoch: changed by a restore. fence: version and writers of a purge (see purge_tombstones).
-- trimmed_id, trimmed_xid: the greatest of the change log that is gone. settled_id: no change at or
-- below it can still commit.
CREATE TABLE {{schema}}.meta (
  name  text PRIMARY KEY,
  value text NOT NULL,
  at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO {{schema}}.meta (name, value) VALUES
  ('epoch', gen_random_uuid()::text), ('trimmed_id', '0'), ('trimmed_xid', '0'), ('settled_id', '0');
