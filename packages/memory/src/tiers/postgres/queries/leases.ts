import { MemoryError } from "../../../model/errors.ts";
import type { ItemRef } from "../../../model/item.ts";
import type { LeaseAnswer } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { booleanIn, numberIn, onlyRow, optionalTextIn } from "../columns.ts";
import type { Database, Statement } from "../database.ts";

const TAKE: Statement = {
  name: "take_lease",
  text: `SELECT done.outcome, done.granted_token, done.newest_version, done.held_ms
    FROM {{schema}}.take_lease($1, $2, $3::float8) AS done`,
};

const RENEW: Statement = {
  name: "renew_lease",
  text: `SELECT {{schema}}.renew_lease($1, $2, $3, $4::float8) AS stands`,
};

const RELEASE: Statement = {
  name: "release_lease",
  text: `DELETE FROM {{schema}}.leases WHERE namespace = $1 AND key = $2 AND token = $3`,
};

/** `ttlSeconds` undefined: nobody else is kept out. */
export async function takeLease(
  database: Database,
  schema: BoundSchema,
  request: { readonly ref: ItemRef; readonly ttlSeconds: number | undefined },
): Promise<LeaseAnswer> {
  const { ref, ttlSeconds } = request;
  const values = [ref.namespace, ref.key, ttlSeconds ?? null];
  const row = onlyRow(await database.write(schema.bind(TAKE), values));
  switch (row["outcome"]) {
    case "found":
      return { status: "found" };
    case "held":
      return { status: "held", heldForMs: numberIn(row, "held_ms") };
    case "granted": {
      const token = optionalTextIn(row, "granted_token");
      return { status: "granted", claim: { seenVersion: numberIn(row, "newest_version"), token } };
    }
    default:
      throw new MemoryError(
        "INTERNAL",
        "the database gave an answer about a lease that is not one",
      );
  }
}

export async function renewLease(
  database: Database,
  schema: BoundSchema,
  lease: { readonly ref: ItemRef; readonly token: string; readonly ttlSeconds: number },
): Promise<boolean> {
  const { ref, token, ttlSeconds } = lease;
  const values = [ref.namespace, ref.key, token, ttlSeconds];
  return booleanIn(onlyRow(await database.write(schema.bind(RENEW), values)), "stands");
}

export async function releaseLease(
  database: Database,
  schema: BoundSchema,
  lease: { readonly ref: ItemRef; readonly token: string },
): Promise<void> {
  const { ref, token } = lease;
  await database.write(schema.bind(RELEASE), [ref.namespace, ref.key, token]);
}
