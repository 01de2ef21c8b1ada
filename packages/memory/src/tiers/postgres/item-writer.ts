import { BatchAborted, MemoryError, VersionConflict, isMemoryError } from "../../model/errors.ts";
import type { ItemRecord, ItemRef } from "../../model/item.ts";
import type {
  Condition,
  LoadClaim,
  PutOperation,
  WriteOperation,
  WriteOptions,
  WriteResult,
} from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import type { Queryable } from "./database.ts";
import { orderByKey } from "./operation-order.ts";
import { clearNamespace } from "./queries/clear-namespace.ts";
import { lockItem, releaseToken } from "./queries/lock-item.ts";
import { storeLoadedCall } from "./queries/store-loaded.ts";
import { writeAnswerOf, writeItemsCall } from "./queries/write-items.ts";
import type { OnConflict, WriteAnswer } from "./queries/write-items.ts";

/** Tries of a write whose outcome was unknown and that may be repeated because it carries a token. */
const UNKNOWN_TRIES_MAX = 3;

/** Writes: one round trip a batch, judged and logged inside the database. */
export class ItemWriter {
  readonly #context: AuthorityContext;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  async write(
    operations: readonly WriteOperation[],
    options: WriteOptions = {},
  ): Promise<readonly WriteResult[]> {
    const [first] = operations;
    if (first === undefined) return [];
    if (operations.length === 1 && first.kind === "put" && first.claim !== undefined)
      return this.#storeLoaded(first, first.claim);
    const { database, schema, clock } = this.#context;
    const { sorted, restore } = orderByKey(operations);
    const onConflict = options.atomic === true ? "abort" : "report";
    const { statement, values } = writeItemsCall(schema, sorted, {
      onConflict,
      idempotency: options.idempotency,
    });
    const answer = await repeatUnknown(options, async () => {
      const sentAtMs = clock.monotonicMs();
      return answered(writeAnswerOf(await database.write(statement, values), sentAtMs));
    });
    refuseMismatch(answer);
    const results = restore(answer.results);
    if (answer.outcome === "aborted") throw abortion(operations, results);
    return results;
  }

  async modify(
    ref: ItemRef,
    decide: (current: ItemRecord | undefined) => WriteOperation | undefined,
    options: WriteOptions = {},
  ): Promise<WriteResult | undefined> {
    const answer = await repeatUnknown(options, () =>
      this.#context.database.transaction((tx) => this.#modify(tx, ref, { decide, options })),
    );
    if (answer === undefined) return undefined;
    refuseMismatch(answer);
    return answer.results[0];
  }

  clear(namespace: string, below: boolean): Promise<number> {
    return clearNamespace(this.#context.database, this.#context.schema, { namespace, below });
  }

  async #storeLoaded(put: PutOperation, claim: LoadClaim): Promise<readonly WriteResult[]> {
    const { database, schema, clock } = this.#context;
    const { statement, values } = storeLoadedCall(schema, put, claim);
    const sentAtMs = clock.monotonicMs();
    const rows = await database.write(statement, values);
    return answered(writeAnswerOf(rows, sentAtMs)).results;
  }

  async #modify(
    tx: Queryable,
    ref: ItemRef,
    how: {
      readonly decide: (current: ItemRecord | undefined) => WriteOperation | undefined;
      readonly options: WriteOptions;
    },
  ): Promise<WriteAnswer | undefined> {
    const { schema, clock } = this.#context;
    const { idempotency } = how.options;
    const sentAtMs = clock.monotonicMs();
    const { replay, record } = await lockItem(tx, schema, { ref, idempotency, sentAtMs });
    if (replay !== undefined) return replay;
    const operation = how.decide(record);
    const conflict = operation === undefined ? undefined : conflictOf(operation.condition, record);
    if (operation === undefined || conflict !== undefined) {
      if (idempotency !== undefined) await releaseToken(tx, schema, idempotency);
      return conflict === undefined ? undefined : { outcome: "written", results: [conflict] };
    }
    // The decision was made on this very state. Where there was no row to lock it may be old by now:
    // then all is done again.
    const decided = { ...operation, condition: record?.version ?? ("absent" as const) };
    return writeInTransaction(tx, this.#context, {
      operations: [decided],
      onConflict: "retry",
      idempotency,
    });
  }
}

/** A write among others in one transaction. The operations must be in key order. */
export async function writeInTransaction(
  tx: Queryable,
  context: AuthorityContext,
  write: {
    readonly operations: readonly WriteOperation[];
    readonly onConflict: OnConflict;
    readonly idempotency: WriteOptions["idempotency"];
  },
): Promise<WriteAnswer> {
  const { statement, values } = writeItemsCall(context.schema, write.operations, write);
  const sentAtMs = context.clock.monotonicMs();
  return answered(writeAnswerOf(await tx.query(statement, values), sentAtMs));
}

function answered(answer: WriteAnswer | undefined): WriteAnswer {
  if (answer === undefined)
    throw new MemoryError("INTERNAL", "the database did not answer a write");
  return answer;
}

/**
 * With a token in the same transaction a write may be sent again when nobody knows what became of it:
 * either it is done now, or its first receipt comes back.
 */
async function repeatUnknown<T>(options: WriteOptions, attempt: () => Promise<T>): Promise<T> {
  let unknown: MemoryError | undefined;
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isUnknown = isMemoryError(error) && error.code === "OUTCOME_UNKNOWN";
      const isAway = isMemoryError(error) && error.code === "STORE_UNAVAILABLE";
      if (isUnknown) unknown = error;
      // "Surely not written" of a repetition says nothing of the try before it.
      if (unknown === undefined || !(isUnknown || isAway)) throw error;
      if (options.idempotency === undefined || tries === UNKNOWN_TRIES_MAX) throw unknown;
    }
  }
}

function conflictOf(
  condition: Condition | undefined,
  record: ItemRecord | undefined,
): WriteResult | undefined {
  if (condition === undefined) return undefined;
  const holds =
    condition === "absent"
      ? record === undefined
      : record !== undefined && (condition === "present" || condition === record.version);
  return holds ? undefined : { status: "conflict", currentVersion: record?.version ?? null };
}

function refuseMismatch(answer: WriteAnswer): void {
  if (answer.outcome !== "mismatch") return;
  throw new MemoryError(
    "IDEMPOTENCY_MISMATCH",
    "this idempotency key was used for another request; use a new key for a new request",
    { field: "idempotencyKey" },
  );
}

function abortion(
  operations: readonly WriteOperation[],
  results: readonly WriteResult[],
): MemoryError {
  for (const [index, result] of results.entries()) {
    const operation = operations[index];
    if (result.status !== "conflict" || operation === undefined) continue;
    const { currentVersion } = result;
    const current = currentVersion === null ? null : { version: String(currentVersion) };
    return new BatchAborted(
      index,
      new VersionConflict(operation.key, describeCondition(operation.condition), current),
    );
  }
  return new MemoryError("INTERNAL", "a batch was aborted without a failed condition");
}

function describeCondition(condition: Condition | undefined): string {
  if (condition === "absent") return "no item";
  return condition === "present" ? "an item" : `version ${condition}`;
}
