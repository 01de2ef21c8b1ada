import { MemoryError } from "../../../model/errors.ts";
import type { Condition, IdempotencyToken, WriteOperation, WriteResult } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { exactMs, jsonObjectIn, onlyRow } from "../columns.ts";
import type { Row, SqlValue, Statement } from "../database.ts";

const WRITE_ITEMS: Statement = {
  name: "write_items",
  text: `SELECT {{schema}}.write_items($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[],
    $6::text[], $7::float8[], $8::float8[], $9::int8[], $10::text, $11::text, $12::text, $13::text)
    AS answer`,
};

/** What a failed condition does to the rest; `retry` makes the database's client do all again. */
export type OnConflict = "report" | "abort" | "retry";

export interface WriteAnswer {
  readonly outcome: "written" | "aborted" | "replayed" | "mismatch";
  /** In the order of the operations sent. */
  readonly results: readonly WriteResult[];
}

export interface SqlCall {
  readonly statement: Statement;
  readonly values: readonly SqlValue[];
}

/** `operations`: on distinct keys, in one order that all callers share. */
export function writeItemsCall(
  schema: BoundSchema,
  operations: readonly WriteOperation[],
  how: { readonly onConflict: OnConflict; readonly idempotency: IdempotencyToken | undefined },
): SqlCall {
  const puts = operations.map((operation) => (operation.kind === "put" ? operation : undefined));
  const { idempotency } = how;
  // Puts without conditions need no judgement: no kinds says so.
  const arePlain = puts.every((put) => put !== undefined && put.condition === undefined);
  return {
    statement: schema.bind(WRITE_ITEMS),
    values: [
      arePlain ? null : operations.map((operation) => operation.kind),
      operations.map((operation) => operation.namespace),
      operations.map((operation) => operation.key),
      puts.map((put) => put?.body ?? null),
      puts.map((put) => (put === undefined ? null : JSON.stringify(put.metadata))),
      puts.map((put) => (put === undefined ? null : arrayLiteral(put.tags))),
      operations.map((operation) =>
        operation.kind === "remove" ? null : (operation.ttlSeconds ?? null),
      ),
      puts.map((put) => put?.expiresAtMs ?? null),
      arePlain ? null : operations.map((operation) => conditionCode(operation.condition)),
      how.onConflict,
      idempotency?.namespace ?? null,
      idempotency?.id ?? null,
      idempotency?.requestHash ?? null,
    ],
  };
}

/** `sentAtMs`: monotonic time before the statement was sent. */
export function writeAnswerOf(rows: readonly Row[], sentAtMs: number): WriteAnswer {
  return answerOf(jsonObjectIn(onlyRow(rows), "answer"), sentAtMs);
}

/** The answer that the SQL functions give as JSON. */
export function answerOf(
  answer: { readonly [name: string]: unknown },
  sentAtMs: number,
): WriteAnswer {
  const { outcome, results, nowMs } = answer;
  switch (outcome) {
    case "mismatch":
      return { outcome, results: [] };
    case "written":
    case "aborted":
    case "replayed":
      if (!Array.isArray(results) || typeof nowMs !== "number") break;
      return { outcome, results: results.map((result) => resultOf(result, { nowMs, sentAtMs })) };
  }
  throw new MemoryError("INTERNAL", "the database gave an answer to a write that is not one");
}

function resultOf(
  result: unknown,
  times: { readonly nowMs: number; readonly sentAtMs: number },
): WriteResult {
  const [status, version, existed, createdMs, updatedMs, expiresMs] = result as readonly unknown[];
  if (status === "conflict")
    return { status, currentVersion: typeof version === "number" ? version : null };
  if (typeof version === "number" && status === "absent") return { status, version };
  if (
    status !== "written" ||
    typeof version !== "number" ||
    typeof createdMs !== "number" ||
    typeof updatedMs !== "number"
  )
    throw new MemoryError("INTERNAL", "the database gave a result of a write that is not one");
  return {
    status,
    version,
    existed: existed === true,
    createdAtMs: exactMs(createdMs),
    updatedAtMs: exactMs(updatedMs),
    expiresAtMs: typeof expiresMs === "number" ? exactMs(expiresMs) : undefined,
    deadlineMs:
      typeof expiresMs === "number"
        ? times.sentAtMs + (expiresMs - times.nowMs)
        : Number.POSITIVE_INFINITY,
  };
}

function conditionCode(condition: Condition | undefined): number | null {
  if (condition === undefined) return null;
  if (typeof condition === "number") return condition;
  return condition === "absent" ? -1 : -2;
}

/** A text[] as PostgreSQL writes it: arrays of arrays of unequal length cannot be bound. */
function arrayLiteral(elements: readonly string[]): string {
  const quoted = elements.map((element) => `"${element.replaceAll(/["\\]/g, "\\$&")}"`);
  return `{${quoted.join(",")}}`;
}
