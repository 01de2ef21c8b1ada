import type { ItemRef } from "../../model/item.ts";
import { numberIn, onlyRow, textIn } from "../postgres/columns.ts";
import type { Database } from "../postgres/database.ts";
import { facetsOf } from "../facets.ts";
import { newestEntries } from "../newest-entries.ts";
import { unitVector } from "../unit-vector.ts";
import type { EntryRef, VectorEntry } from "../vector.ts";
import { Binding, inScope } from "./scope.ts";
import type { VectorTable } from "./vector-table.ts";
import { vectorText } from "./vector-table.ts";

/** Rows of one statement: placing one in the graph takes milliseconds, and a statement has seconds. */
const UPSERT_ROWS_MAX = 200;
const REMOVE_ROWS_MAX = 5000;

/** What to clear: entries of items up to this version. */
interface ClearScope {
  readonly namespace: string;
  readonly below: boolean;
  readonly itemVersion: number;
}

export async function upsertEntries(
  database: Database,
  table: VectorTable,
  entries: readonly VectorEntry[],
): Promise<void> {
  // All are judged before the first is written.
  const rows = newestEntries(entries).map((entry) => ({
    ...entry,
    text: vectorText(unitVector(entry.vector, table.index)),
  }));
  for (let start = 0; start < rows.length; start += UPSERT_ROWS_MAX) {
    const part = rows.slice(start, start + UPSERT_ROWS_MAX);
    await database.write({ text: upsertText(table) }, [
      part.map((entry) => entry.namespace),
      part.map((entry) => entry.key),
      part.map((entry) => entry.itemVersion),
      part.map((entry) => JSON.stringify(facetsOf(entry.fields))),
      part.map((entry) => entry.atMs ?? null),
      part.map((entry) => entry.expiresAtMs ?? null),
      part.map((entry) => entry.text),
    ]);
  }
}

function upsertText({ name, type }: VectorTable): string {
  return `INSERT INTO ${name} AS v
    (namespace, key, item_version, facets, at_ms, expires_at, embedding)
    SELECT e.namespace, e.key, e.item_version,
      ARRAY(SELECT jsonb_array_elements_text(e.facets::jsonb)), e.at_ms,
      to_timestamp(e.expires_ms / 1000), e.embedding::${type}
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::float8[], $6::float8[],
      $7::text[]) AS e (namespace, key, item_version, facets, at_ms, expires_ms, embedding)
    ON CONFLICT (namespace, key) DO UPDATE SET item_version = excluded.item_version,
      facets = excluded.facets, at_ms = excluded.at_ms, expires_at = excluded.expires_at,
      embedding = excluded.embedding
    WHERE v.item_version < excluded.item_version`;
}

export async function removeEntries(
  database: Database,
  table: VectorTable,
  refs: readonly EntryRef[],
): Promise<void> {
  const rows = newestEntries(refs);
  for (let start = 0; start < rows.length; start += REMOVE_ROWS_MAX) {
    const part = rows.slice(start, start + REMOVE_ROWS_MAX);
    await database.write(
      {
        text: `DELETE FROM ${table.name} v
          USING unnest($1::text[], $2::text[], $3::bigint[]) AS r (namespace, key, item_version)
          WHERE v.namespace = r.namespace AND v.key = r.key AND v.item_version <= r.item_version`,
      },
      [
        part.map((ref) => ref.namespace),
        part.map((ref) => ref.key),
        part.map((ref) => ref.itemVersion),
      ],
    );
  }
}

/** In bounded steps; returns how many went. */
export async function clearEntries(
  database: Database,
  table: VectorTable,
  scope: ClearScope,
): Promise<number> {
  const binding = new Binding();
  const condition = inScope(binding, scope);
  const text = `WITH gone AS (
      DELETE FROM ${table.name} WHERE ctid = ANY(ARRAY(
        SELECT v.ctid FROM ${table.name} v
        WHERE ${condition} AND v.item_version <= ${binding.add(scope.itemVersion)}
        LIMIT ${REMOVE_ROWS_MAX}))
      RETURNING 1
    ) SELECT count(*) AS rows FROM gone`;
  for (let removed = 0; ;) {
    const rows = numberIn(onlyRow(await database.write({ text }, binding.values)), "rows");
    removed += rows;
    // A row that another server changed or removed meanwhile is missing from a step that was full.
    if (rows === 0) return removed;
  }
}

/** In key order, after the given one. */
export async function readEntries(
  database: Database,
  table: VectorTable,
  page: { readonly after: ItemRef | undefined; readonly limit: number },
): Promise<readonly EntryRef[]> {
  const { after, limit } = page;
  const rows = await database.query(
    {
      text: `SELECT v.namespace, v.key, v.item_version FROM ${table.name} v
        WHERE ($1::text IS NULL OR (v.namespace, v.key) > ($1, $2::text))
        ORDER BY v.namespace, v.key LIMIT $3`,
    },
    [after?.namespace ?? null, after?.key ?? null, limit],
  );
  return rows.map((row) => ({
    namespace: textIn(row, "namespace"),
    key: textIn(row, "key"),
    itemVersion: numberIn(row, "item_version"),
  }));
}
