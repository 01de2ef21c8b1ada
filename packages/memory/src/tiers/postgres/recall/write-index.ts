import type { BoundSchema } from "../bound-schema.ts";
import { numberIn, textIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";
import { arrayLiteral } from "../queries/write-items.ts";
import type { DocumentRow, IndexPlan } from "./index-plan.ts";

const ADD_NAMESPACES: Statement = {
  name: "word_add_namespaces",
  text: `INSERT INTO {{schema}}.word_namespaces (namespace) SELECT unnest($1::text[])
    ON CONFLICT DO NOTHING`,
};

const FIND_NAMESPACES: Statement = {
  name: "word_find_namespaces",
  text: `SELECT id, namespace FROM {{schema}}.word_namespaces WHERE namespace = ANY ($1::text[])`,
};

const DRAW: Statement = {
  name: "word_draw",
  text: `SELECT nextval('{{schema}}.word_document_ids') AS id FROM generate_series(1, $1::int)`,
};

const PUT_DOCUMENTS: Statement = {
  name: "word_put_documents",
  text: `INSERT INTO {{schema}}.word_documents AS d (id, namespace_id, key, version, length, terms,
      frequencies, expires_at, session, position, at_ms, speaker)
    SELECT o.id, o.namespace_id, o.key, o.version, o.length, o.terms::text[], o.frequencies::int[],
      to_timestamp(o.expires_ms / 1000), o.session, o.position, o.at_ms, o.speaker
    FROM unnest($1::int8[], $2::int[], $3::text[], $4::int8[], $5::int[], $6::text[], $7::text[],
        $8::float8[], $9::text[], $10::float8[], $11::float8[], $12::text[])
      AS o (id, namespace_id, key, version, length, terms, frequencies, expires_ms, session, position,
        at_ms, speaker)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, length = excluded.length,
      terms = excluded.terms, frequencies = excluded.frequencies, expires_at = excluded.expires_at,
      session = excluded.session, position = excluded.position, at_ms = excluded.at_ms,
      speaker = excluded.speaker`,
};

const DROP_DOCUMENTS: Statement = {
  name: "word_drop_documents",
  text: `DELETE FROM {{schema}}.word_documents WHERE id = ANY ($1::int8[])`,
};

const PUT_POSTINGS: Statement = {
  name: "word_put_postings",
  text: `INSERT INTO {{schema}}.word_postings (namespace_id, term, document, frequency, length)
    SELECT * FROM unnest($1::int[], $2::text[], $3::int8[], $4::int[], $5::int[])`,
};

const DROP_POSTINGS: Statement = {
  name: "word_drop_postings",
  text: `DELETE FROM {{schema}}.word_postings p
    USING unnest($1::int[], $2::text[], $3::int8[]) AS gone (namespace_id, term, document)
    WHERE p.namespace_id = gone.namespace_id AND p.term = gone.term AND p.document = gone.document`,
};

const COUNT_TERMS: Statement = {
  name: "word_count_terms",
  text: `WITH changed AS (
      INSERT INTO {{schema}}.word_terms AS t (namespace_id, term, documents)
      SELECT * FROM unnest($1::int[], $2::text[], $3::int8[])
      ON CONFLICT (namespace_id, term) DO UPDATE SET documents = t.documents + excluded.documents
      RETURNING t.namespace_id, t.term, t.documents
    ) SELECT namespace_id, term FROM changed WHERE documents <= 0`,
};

const DROP_TERMS: Statement = {
  name: "word_drop_terms",
  text: `DELETE FROM {{schema}}.word_terms t
    USING unnest($1::int[], $2::text[]) AS gone (namespace_id, term)
    WHERE t.namespace_id = gone.namespace_id AND t.term = gone.term`,
};

const COUNT_NAMESPACES: Statement = {
  name: "word_count_namespaces",
  text: `UPDATE {{schema}}.word_namespaces n
    SET documents = n.documents + by.documents, terms = n.terms + by.terms
    FROM unnest($1::int[], $2::int8[], $3::int8[]) AS by (id, documents, terms) WHERE n.id = by.id`,
};

const DROP_NAMESPACES: Statement = {
  name: "word_drop_namespaces",
  text: `DELETE FROM {{schema}}.word_namespaces WHERE id = ANY ($1::int[]) AND documents = 0`,
};

/** Their numbers, made where they have none. */
export async function numberNamespaces(
  tx: Queryable,
  schema: BoundSchema,
  namespaces: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (namespaces.length === 0) return new Map();
  await tx.query(schema.bind(ADD_NAMESPACES), [namespaces]);
  const rows = await tx.query(schema.bind(FIND_NAMESPACES), [namespaces]);
  return new Map(rows.map((row) => [textIn(row, "namespace"), numberIn(row, "id")]));
}

export async function drawDocuments(
  tx: Queryable,
  schema: BoundSchema,
  count: number,
): Promise<readonly number[]> {
  if (count === 0) return [];
  const rows = await tx.query(schema.bind(DRAW), [count]);
  return rows.map((row) => numberIn(row, "id"));
}

/** All in the indexer's transaction. Postings go before they come: a document keeps its number. */
export async function carryOut(tx: Queryable, schema: BoundSchema, plan: IndexPlan): Promise<void> {
  const { documents, goneDocuments, postings, gonePostings, namespaces } = plan;
  const run = async (statement: Statement, rows: number, values: () => Values): Promise<void> => {
    if (rows > 0) await tx.query(schema.bind(statement), values());
  };
  await run(DROP_POSTINGS, gonePostings.length, () => [
    gonePostings.map(({ namespaceId }) => namespaceId),
    gonePostings.map(({ term }) => term),
    gonePostings.map(({ document }) => document),
  ]);
  await run(DROP_DOCUMENTS, goneDocuments.length, () => [goneDocuments]);
  await run(PUT_DOCUMENTS, documents.length, () => documentValues(documents));
  await run(PUT_POSTINGS, postings.length, () => [
    postings.map(({ namespaceId }) => namespaceId),
    postings.map(({ term }) => term),
    postings.map(({ document }) => document),
    postings.map(({ frequency }) => frequency),
    postings.map(({ length }) => length),
  ]);
  await countTerms(tx, schema, plan);
  await run(COUNT_NAMESPACES, namespaces.length, () => [
    namespaces.map(({ namespaceId }) => namespaceId),
    namespaces.map((by) => by.documents),
    namespaces.map((by) => by.terms),
  ]);
  const shrunk = namespaces.filter((by) => by.documents < 0);
  await run(DROP_NAMESPACES, shrunk.length, () => [shrunk.map(({ namespaceId }) => namespaceId)]);
}

type Values = NonNullable<Parameters<Queryable["query"]>[1]>;

function documentValues(documents: readonly DocumentRow[]): Values {
  return [
    documents.map(({ document }) => document),
    documents.map(({ namespaceId }) => namespaceId),
    documents.map(({ key }) => key),
    documents.map(({ version }) => version),
    documents.map(({ length }) => length),
    documents.map(({ frequencies }) => arrayLiteral([...frequencies.keys()])),
    documents.map(({ frequencies }) => `{${[...frequencies.values()].join(",")}}`),
    documents.map(({ expiresAtMs }) => expiresAtMs ?? null),
    documents.map(({ session }) => session ?? null),
    documents.map(({ position }) => position ?? null),
    documents.map(({ atMs }) => atMs ?? null),
    documents.map(({ speaker }) => speaker ?? null),
  ];
}

async function countTerms(tx: Queryable, schema: BoundSchema, { terms }: IndexPlan): Promise<void> {
  if (terms.length === 0) return;
  const gone = await tx.query(schema.bind(COUNT_TERMS), [
    terms.map(({ namespaceId }) => namespaceId),
    terms.map(({ term }) => term),
    terms.map(({ by }) => by),
  ]);
  if (gone.length === 0) return;
  await tx.query(schema.bind(DROP_TERMS), [
    gone.map((row) => numberIn(row, "namespace_id")),
    gone.map((row) => textIn(row, "term")),
  ]);
}
