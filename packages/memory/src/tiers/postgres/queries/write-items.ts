import { MemoryError } from "../../../model/errors.ts";
import { KEPT_INDEXING } from "../../authority.ts";
import type { Condition, IdempotencyToken, WriteOperation, WriteResult } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { deadlineOf, numberIn, onlyRow, optionalListIn } from "../columns.ts";
import type { Row, SqlValue, Statement } from "../database.ts";

/** The answer's columns, of a row called `done`. */
export const ANSWER_COLUMNS = `done.outcome, done.now_us, (done.results).statuses,
  (done.results).versions, (done.results).created_us, (done.results).updated_us,
  (done.results).expires_us`;

const US_PER_MS = 1000;

const WRITE_ITEMS: Statement = {
  name: "write_items",
  text: `SELECT ${ANSWER_COLUMNS} FROM {{schema}}.write_items($1::text[], $2::text[], $3::text[],
    $4::bytea[], $5::text[], $6::text[], $7::bytea[], $8::float8[], $9::float8[], $10::int8[], $11::text,
    $12::text, $13::text, $14::text) AS done`,
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
  if (puts.some((put) => put?.claim !== undefined))
    throw new MemoryError("INTERNAL", "a put under a claim was sent along with other operations");
  const { idempotency } = how;
  const namespaces = operations.map((operation) => operation.namespace);
  // Puts without conditions need no judgement: no kinds says so.
  // Those that keep something look at what is there.
  const arePlain = puts.every(
    (put) => put !== undefined && put.condition === undefined && put.indexing !== KEPT_INDEXING,
  );
  return {
    statement: schema.bind(WRITE_ITEMS),
    values: [
      arePlain ? null : operations.map(kindCode),
      arePlain ? shortest(namespaces) : namespaces,
      operations.map((operation) => operation.key),
      puts.map((put) => put?.body ?? null),
      puts.map((put) => (put === undefined ? null : JSON.stringify(put.metadata))),
      puts.map((put) => (put === undefined ? null : arrayLiteral(put.tags))),
      nullIfAllNull(puts.map((put) => put?.indexing ?? null)),
      nullIfAllNull(
        operations.map((operation) =>
          operation.kind === "remove" ? null : (operation.ttlSeconds ?? null),
        ),
      ),
      nullIfAllNull(puts.map((put) => put?.expiresAtMs ?? null)),
      arePlain ? null : operations.map((operation) => conditionCode(operation.condition)),
      how.onConflict,
      idempotency?.namespace ?? null,
      idempotency?.id ?? null,
      idempotency?.requestHash ?? null,
    ],
  };
}

/** The answer of the one row; undefined where none has been given yet (`lock_item`). */
export function writeAnswerOf(rows: readonly Row[], sentAtMs: number): WriteAnswer | undefined {
  const row = onlyRow(rows);
  const { outcome } = row;
  if (outcome === null) return undefined;
  if (outcome === "mismatch") return { outcome, results: [] };
  if (outcome === "written" || outcome === "aborted" || outcome === "replayed")
    return { outcome, results: resultsOf(row, sentAtMs) };
  throw new MemoryError("INTERNAL", "the database gave an answer to a write that is not one");
}

/** `sentAtMs`: monotonic time before the statement was sent. */
function resultsOf(row: Row, sentAtMs: number): readonly WriteResult[] {
  const statuses = optionalListIn(row, "statuses");
  const created = optionalListIn(row, "created_us") ?? [];
  const updated = optionalListIn(row, "updated_us") ?? [];
  const expires = optionalListIn(row, "expires_us") ?? [];
  const nowUs = numberIn(row, "now_us");
  return (optionalListIn(row, "versions") ?? []).map((version, index): WriteResult => {
    const status = statuses === undefined ? "written" : statuses[index];
    const createdUs = created[index];
    const updatedUs = updated[index];
    const expiresUs = expires[index];
    if (status === "conflict")
      return { status, currentVersion: typeof version === "number" ? version : null };
    if (status === "absent" && typeof version === "number") return { status, version };
    if (
      status !== "written" ||
      typeof version !== "number" ||
      typeof createdUs !== "number" ||
      typeof updatedUs !== "number"
    )
      throw new MemoryError("INTERNAL", "the database gave a result of a write that is not one");
    const isEndless = typeof expiresUs !== "number";
    return {
      status,
      version,
      existed: createdUs < updatedUs,
      createdAtMs: createdUs / US_PER_MS,
      updatedAtMs: updatedUs / US_PER_MS,
      expiresAtMs: isEndless ? undefined : expiresUs / US_PER_MS,
      deadlineMs: deadlineOf(sentAtMs, isEndless ? undefined : (expiresUs - nowUs) / US_PER_MS),
    };
  });
}

/** What need not be sent costs nothing to write, send and read: a third of a batch's work here. */
function nullIfAllNull<T>(values: readonly (T | null)[]): readonly (T | null)[] | null {
  return values.every((value) => value === null) ? null : values;
}

function shortest(namespaces: readonly string[]): readonly string[] {
  const [first] = namespaces;
  const isOne = first !== undefined && namespaces.every((namespace) => namespace === first);
  return isOne ? [first] : namespaces;
}

function kindCode(operation: WriteOperation): string {
  return operation.kind === "remove" && operation.leaveTrace === true ? "erase" : operation.kind;
}

function conditionCode(condition: Condition | undefined): number | null {
  if (condition === undefined) return null;
  if (typeof condition === "number") return condition;
  return condition === "absent" ? -1 : -2;
}

/** A text[] as PostgreSQL writes it: arrays of arrays of unequal length cannot be bound. */
export function arrayLiteral(elements: readonly string[]): string {
  const quoted = elements.map((element) => `"${element.replaceAll(/["\\]/g, "\\$&")}"`);
  return `{${quoted.join(",")}}`;
}
