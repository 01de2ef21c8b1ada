import type { BoundSchema } from "../bound-schema.ts";
import { numberIn, onlyRow } from "../columns.ts";
import type { Database, Statement } from "../database.ts";

const CLEAR_NAMESPACE: Statement = {
  name: "clear_namespace",
  text: `SELECT {{schema}}.clear_namespace($1, $2) AS version`,
};

/** Resolves to the version at and below which everything there is gone. */
export async function clearNamespace(
  database: Database,
  schema: BoundSchema,
  request: { readonly namespace: string; readonly below: boolean },
): Promise<number> {
  const rows = await database.write(schema.bind(CLEAR_NAMESPACE), [
    request.namespace,
    request.below,
  ]);
  return numberIn(onlyRow(rows), "version");
}
