import type { ItemRef } from "../../../model/item.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { booleanIn, numberIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";
import { NOT_CLEARED, NOT_DEAD, refOf } from "../record-columns.ts";
import type { WalkPlace } from "./index-state.ts";

/** A part of a rebuild. */
export interface WalkStretch {
  /** Items to be indexed as they are now. */
  readonly refs: readonly ItemRef[];
  readonly place: WalkPlace;
}

/** Where a rebuild begins. */
export function walkFrom(walk: "all" | "changed"): WalkPlace {
  return { walk, namespace: "", key: "", document: 0 };
}

const WALK_ITEMS: Statement = {
  name: "word_walk_items",
  text: `SELECT i.namespace, i.key, ${NOT_DEAD} AND ${NOT_CLEARED} AND NOT ($4 AND EXISTS (
        SELECT FROM {{schema}}.word_namespaces n
        JOIN {{schema}}.word_documents d ON d.namespace_id = n.id AND d.key = i.key
        WHERE n.namespace = i.namespace AND d.version = i.version)) AS is_wanted
    FROM (SELECT * FROM {{schema}}.items w WHERE (w.namespace, w.key) > ($1, $2)
      ORDER BY w.namespace, w.key LIMIT $3) AS i ORDER BY i.namespace, i.key`,
};

/** What is not the newest of a live item by now may be gone for good, with nothing in the log. */
const WALK_DOCUMENTS: Statement = {
  name: "word_walk_documents",
  text: `SELECT d.id, n.namespace, d.key, n.id IS NOT NULL AND NOT EXISTS (
        SELECT FROM {{schema}}.items i WHERE i.namespace = n.namespace AND i.key = d.key
          AND i.version = d.version AND ${NOT_DEAD} AND ${NOT_CLEARED}) AS is_wanted
    FROM (SELECT * FROM {{schema}}.word_documents w WHERE w.id > $1 ORDER BY w.id LIMIT $2) AS d
    LEFT JOIN {{schema}}.word_namespaces n ON n.id = d.namespace_id ORDER BY d.id`,
};

/** First along the items, then along what is indexed. Goes on where it stopped, on any server. */
export async function walkOn(
  tx: Queryable,
  schema: BoundSchema,
  { place, limit }: { readonly place: WalkPlace; readonly limit: number },
): Promise<WalkStretch> {
  const { walk, namespace, key, document } = place;
  if (walk === "documents") {
    const rows = await tx.query(schema.bind(WALK_DOCUMENTS), [document, limit]);
    const last = rows.at(-1);
    const isEnd = last === undefined || rows.length < limit;
    return {
      refs: rows.filter((row) => booleanIn(row, "is_wanted")).map(refOf),
      place: isEnd ? { ...place, walk: undefined } : { ...place, document: numberIn(last, "id") },
    };
  }
  const onlyChanged = walk === "changed";
  const rows = await tx.query(schema.bind(WALK_ITEMS), [namespace, key, limit, onlyChanged]);
  const last = rows.at(-1);
  const isEnd = last === undefined || rows.length < limit;
  return {
    refs: rows.filter((row) => booleanIn(row, "is_wanted")).map(refOf),
    place: isEnd ? { ...place, walk: "documents", document: 0 } : { ...place, ...refOf(last) },
  };
}
