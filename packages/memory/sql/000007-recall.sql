-- Search by words: postings beside the items. Everything here is derived from the items and can be
-- thrown away. One writer at a time, the indexer that holds the row of `consumers` called "words", in
-- the transaction that moves its position. So totals can be kept in rows of their own that no writer
-- of items ever touches; and who reads all of it in one snapshot sees exactly what the log says up to
-- that position, newer bodies perhaps, but then their changes are beyond it too.

-- id: another one after each clear, so that clearing is forgetting a number. documents, terms: those
-- that are indexed, and the sum of their lengths.
CREATE TABLE {{schema}}.word_namespaces (
  id        int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace text COLLATE "C" NOT NULL UNIQUE,
  documents bigint NOT NULL DEFAULT 0,
  terms     bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);

-- What was read of an item at one version. id: stays while the item lives. terms, frequencies: the
-- distinct ones and how often each occurs; what an update or removal takes back. session to speaker:
-- where the item says so.
CREATE SEQUENCE {{schema}}.word_document_ids AS bigint MAXVALUE 9007199254740991;
CREATE TABLE {{schema}}.word_documents (
  id           bigint PRIMARY KEY,
  namespace_id int NOT NULL,
  key          text COLLATE "C" NOT NULL,
  version      bigint NOT NULL,
  length       int NOT NULL,
  terms        text[] COLLATE "C" NOT NULL,
  frequencies  int[] NOT NULL,
  expires_at   timestamptz,
  session      text COLLATE "C",
  position     float8,
  at_ms        float8,
  speaker      text COLLATE "C",
  UNIQUE (namespace_id, key)
) WITH (fillfactor = 90);
CREATE INDEX word_documents_expiry ON {{schema}}.word_documents (namespace_id, expires_at)
  WHERE expires_at IS NOT NULL;
CREATE INDEX word_documents_session ON {{schema}}.word_documents (namespace_id, session, position)
  WHERE session IS NOT NULL;

-- In how many documents of a namespace a term occurs: what is rare is known before it is read.
CREATE TABLE {{schema}}.word_terms (
  namespace_id int NOT NULL,
  term         text COLLATE "C" NOT NULL,
  documents    bigint NOT NULL,
  PRIMARY KEY (namespace_id, term)
) WITH (fillfactor = 80);

-- The index alone answers a search: a document's length lies with each of its postings, for both are
-- written anew together.
CREATE TABLE {{schema}}.word_postings (
  namespace_id int NOT NULL,
  term         text COLLATE "C" NOT NULL,
  document     bigint NOT NULL,
  frequency    int NOT NULL,
  length       int NOT NULL,
  PRIMARY KEY (namespace_id, term, document) INCLUDE (frequency, length)
);

-- Numbers of namespaces that were cleared: their rows go bit by bit.
CREATE TABLE {{schema}}.word_leavings (namespace_id int PRIMARY KEY);

-- reader: what the documents were read with. walk: null, or the part of a rebuild that is under way:
-- "all" (items are read anew) or "changed" (those whose version is indexed are left alone) from
-- (walk_namespace, walk_key) on, then "documents" from walk_document on, which finds those whose items
-- are gone.
CREATE TABLE {{schema}}.word_index (
  name           text PRIMARY KEY,
  reader         text NOT NULL,
  walk           text,
  walk_namespace text COLLATE "C" NOT NULL DEFAULT '',
  walk_key       text COLLATE "C" NOT NULL DEFAULT '',
  walk_document  bigint NOT NULL DEFAULT 0
);
