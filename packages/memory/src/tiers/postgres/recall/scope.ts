import { MemoryError } from "../../../model/errors.ts";
import type { KeywordScope } from "../../keyword.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn, textIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";

/** Namespaces of one search. Each is looked at once a term. */
const NAMESPACES_MAX = 20_000;

/** A namespace that has documents. */
export interface IndexedNamespace {
  readonly id: number;
  readonly namespace: string;
  readonly documents: number;
  readonly terms: number;
}

/** The same scope as conditions on a text called `namespace`; $1 and $2 are the scope. */
export const IN_SCOPE = `(n.namespace = $1
  OR $2 AND ($1 = '' OR n.namespace > $1 || '/' AND n.namespace < $1 || '0'))`;

const IN_SCOPE_NAMESPACES: Statement = {
  name: "word_scope",
  text: `SELECT n.id, n.namespace, n.documents, n.terms FROM {{schema}}.word_namespaces n
    WHERE ${IN_SCOPE} LIMIT ${NAMESPACES_MAX + 1}`,
};

export async function readScope(
  tx: Queryable,
  schema: BoundSchema,
  { namespace, below }: KeywordScope,
): Promise<readonly IndexedNamespace[]> {
  const rows = await tx.query(schema.bind(IN_SCOPE_NAMESPACES), [namespace, below]);
  if (rows.length > NAMESPACES_MAX)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      `below: more than ${NAMESPACES_MAX} namespaces lie there, too many for one search by words; search a namespace further down`,
      { field: "below" },
    );
  return rows.map((row) => ({
    id: numberIn(row, "id"),
    namespace: textIn(row, "namespace"),
    documents: numberIn(row, "documents"),
    terms: numberIn(row, "terms"),
  }));
}
