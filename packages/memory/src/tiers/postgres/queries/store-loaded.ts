import type { LoadClaim, PutOperation } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import type { Statement } from "../database.ts";
import { ANSWER_COLUMNS, arrayLiteral } from "./write-items.ts";
import type { SqlCall } from "./write-items.ts";

const STORE_LOADED: Statement = {
  name: "store_loaded",
  text: `SELECT ${ANSWER_COLUMNS} FROM {{schema}}.store_loaded($1, $2, $3::bytea, $4, $5,
    $6::bytea, $7::float8, $8::float8, $9, $10::int8) AS done`,
};

/** Stores what a loader brought if its claim still holds; its condition is part of that. */
export function storeLoadedCall(schema: BoundSchema, put: PutOperation, claim: LoadClaim): SqlCall {
  return {
    statement: schema.bind(STORE_LOADED),
    values: [
      put.namespace,
      put.key,
      put.body,
      JSON.stringify(put.metadata),
      arrayLiteral(put.tags),
      put.indexing ?? null,
      put.ttlSeconds ?? null,
      put.expiresAtMs ?? null,
      claim.token ?? null,
      claim.seenVersion,
    ],
  };
}
