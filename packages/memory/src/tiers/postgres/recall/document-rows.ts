import type { ItemRef } from "../../../model/item.ts";
import type { DocumentFacts, DocumentReader, ReadDocument } from "../../keyword.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { bytesIn, numberIn, optionalNumberIn, textIn, textsIn } from "../columns.ts";
import type { Queryable, Row, Statement } from "../database.ts";
import { NOT_CLEARED, NOT_DEAD } from "../record-columns.ts";

/** Bodies of one answer, together; the first always comes. */
const READ_BYTES_MAX = 4 * 1024 * 1024;

/** An item as it is now, read for the index. */
export interface FreshDocument extends ItemRef, DocumentFacts {
  readonly version: number;
  readonly expiresAtMs: number | undefined;
  readonly length: number;
  /** Distinct terms, each with how often it occurs. */
  readonly frequencies: ReadonlyMap<string, number>;
}

export interface FreshDocuments {
  readonly documents: readonly FreshDocument[];
  /** Items that were not looked at, for the bound on bytes. */
  readonly unread: number;
}

/** What is indexed of an item. */
export interface StoredDocument extends ItemRef {
  readonly document: number;
  readonly namespaceId: number;
  readonly version: number;
  readonly length: number;
  readonly terms: readonly string[];
  readonly frequencies: readonly number[];
}

/** Rows are cut where their bodies exceed the bound; `ord` says where to go on. */
const READ_FRESH: Statement = {
  name: "word_items",
  text: `SELECT i.ord, i.namespace, i.key, i.version, i.body, i.indexing,
      date_part('epoch', i.expires_at) * 1000 AS expires_ms
    FROM (
      SELECT i.*, wanted.ord, coalesce(sum(octet_length(i.body)) OVER (ORDER BY wanted.ord
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
      FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (namespace, key, ord)
      JOIN {{schema}}.items i ON i.namespace = wanted.namespace AND i.key = wanted.key
      WHERE wanted.ord > $3 AND ${NOT_DEAD} AND ${NOT_CLEARED}
    ) AS i WHERE i.bytes_before < ${READ_BYTES_MAX} ORDER BY i.ord`,
};

const READ_STORED: Statement = {
  name: "word_documents",
  text: `SELECT n.namespace, d.key, d.id, d.namespace_id, d.version, d.length, d.terms, d.frequencies
    FROM unnest($1::text[], $2::text[]) AS wanted (namespace, key)
    JOIN {{schema}}.word_namespaces n ON n.namespace = wanted.namespace
    JOIN {{schema}}.word_documents d ON d.namespace_id = n.id AND d.key = wanted.key`,
};

const READ_DEAD: Statement = {
  name: "word_dead_documents",
  text: `${READ_STORED.text} WHERE NOT EXISTS (SELECT FROM {{schema}}.items i
    WHERE i.namespace = n.namespace AND i.key = d.key AND ${NOT_DEAD} AND ${NOT_CLEARED})`,
};

/** The live ones among these items, except those that are kept out of the index. */
export async function readFresh(
  tx: Queryable,
  schema: BoundSchema,
  request: {
    readonly refs: readonly ItemRef[];
    readonly reader: DocumentReader;
    /** Gives up beyond, with what was read until then. */
    readonly bytesMax?: number;
  },
): Promise<FreshDocuments> {
  const { refs, reader, bytesMax = Number.POSITIVE_INFINITY } = request;
  const namespaces = refs.map(({ namespace }) => namespace);
  const keys = refs.map(({ key }) => key);
  const fresh: FreshDocument[] = [];
  let after = 0;
  for (let bytes = 0; after < refs.length && bytes < bytesMax;) {
    const rows = await tx.query(schema.bind(READ_FRESH), [namespaces, keys, after]);
    const last = rows.at(-1);
    if (last === undefined) after = refs.length;
    else after = numberIn(last, "ord");
    for (const row of rows) {
      const document = freshOf(row, reader);
      if (document !== undefined) fresh.push(document);
      bytes += bytesIn(row, "body").byteLength;
    }
  }
  return { documents: fresh, unread: Math.max(0, refs.length - after) };
}

export async function readStored(
  tx: Queryable,
  schema: BoundSchema,
  refs: readonly ItemRef[],
): Promise<readonly StoredDocument[]> {
  return readDocuments(tx, schema.bind(READ_STORED), refs);
}

/** Of these items, what is indexed although they are gone. */
export async function readDead(
  tx: Queryable,
  schema: BoundSchema,
  refs: readonly ItemRef[],
): Promise<readonly StoredDocument[]> {
  return readDocuments(tx, schema.bind(READ_DEAD), refs);
}

async function readDocuments(
  tx: Queryable,
  statement: Statement,
  refs: readonly ItemRef[],
): Promise<readonly StoredDocument[]> {
  const rows = await tx.query(statement, [
    refs.map(({ namespace }) => namespace),
    refs.map(({ key }) => key),
  ]);
  return rows.map((row) => ({
    namespace: textIn(row, "namespace"),
    key: textIn(row, "key"),
    document: numberIn(row, "id"),
    namespaceId: numberIn(row, "namespace_id"),
    version: numberIn(row, "version"),
    length: numberIn(row, "length"),
    terms: textsIn(row, "terms"),
    frequencies: row["frequencies"] as readonly number[],
  }));
}

function freshOf(row: Row, reader: DocumentReader): FreshDocument | undefined {
  const { indexing } = row;
  const ref = { namespace: textIn(row, "namespace"), key: textIn(row, "key") };
  const read = reader.read({
    ...ref,
    body: bytesIn(row, "body"),
    ...(indexing instanceof Uint8Array ? { indexing } : {}),
  });
  if (read === undefined) return undefined;
  return {
    ...ref,
    ...factsOf(read),
    version: numberIn(row, "version"),
    expiresAtMs: optionalNumberIn(row, "expires_ms"),
    length: read.terms.length,
    frequencies: countTerms(read.terms),
  };
}

export function countTerms(terms: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

/** What the database cannot hold is left out: a document must never stop the index. */
function factsOf({ session, position, atMs, speaker }: ReadDocument): DocumentFacts {
  return {
    ...(isStorable(session) ? { session } : {}),
    ...(Number.isFinite(position) ? { position } : {}),
    ...(Number.isFinite(atMs) ? { atMs } : {}),
    ...(isStorable(speaker) ? { speaker } : {}),
  } as DocumentFacts;
}

const NAME_CHARS_MAX = 512;

function isStorable(text: string | undefined): boolean {
  if (text === undefined) return false;
  return text.length <= NAME_CHARS_MAX && text.isWellFormed() && !text.includes("\u0000");
}
