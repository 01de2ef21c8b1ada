import type { BatchOperation, BatchResult } from "../../src/manager/memory.ts";
import { BatchAborted, MemoryError } from "../../src/model/errors.ts";
import type { JsonValue } from "../../src/model/item.ts";
import type { Reading } from "./checker.ts";
import { keyed } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { MAY_FAIL } from "./write-operations.ts";

interface Batch {
  readonly namespace: string;
  readonly atomic: boolean;
  readonly operations: readonly BatchOperation[];
  readonly reading: Reading;
}

/** Two sets, the second perhaps only where nothing is, and a read or a delete. */
export async function batch(op: Operation): Promise<void> {
  const atomic = op.random() < 0.4;
  const namespace = op.random() < 0.7 ? "a" : "a/b";
  const onlyNew = op.random() < 0.3 ? { ifVersion: null } : {};
  const operations: readonly BatchOperation[] = [
    { type: "set", key: "k0", value: op.value() },
    { type: "set", key: "k1", value: op.value(), ...onlyNew },
    op.random() < 0.5 ? { type: "get", key: "k2" } : { type: "delete", key: "k2" },
  ];
  const made: Batch = { namespace, atomic, operations, reading: op.begin(0) };
  const sets = operations.flatMap((one) => (one.type === "set" ? [one] : []));
  if (atomic)
    op.checker.tied(
      sets.map(({ key }) => keyed(namespace, key)),
      sets.map(({ value }) => value as JsonValue),
    );
  op.trace(() => `batch ${namespace} ${atomic ? "atomic " : ""}${JSON.stringify(operations)}`);
  try {
    const results = await op.memory(namespace).batchOperations(operations, { atomic });
    op.trace(() => `batch = ${results.map(({ version, error }) => error?.code ?? version).join()}`);
    for (const [index, result] of results.entries()) judge(op, made, { index, result });
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    op.trace(() => `batch: ${error.code}`);
    const isUndone = error instanceof BatchAborted || error.code === "STORE_UNAVAILABLE";
    if (!isUndone && !MAY_FAIL.has(error.code)) throw error;
    for (const { key, value } of isUndone ? sets : [])
      op.checker.unwritten(keyed(namespace, key), value as JsonValue, made.reading.what);
  }
}

function judge(
  { checker }: Pick<Operation, "checker">,
  { namespace, atomic, operations, reading }: Batch,
  { index, result }: { readonly index: number; readonly result: BatchResult },
): void {
  const { type, key, success, version, existed, error } = result;
  const ref = keyed(namespace, key);
  const operation = operations[index];
  const value = operation?.type === "set" ? (operation.value as JsonValue) : undefined;
  if (!success) {
    if (error?.code === "STORE_UNAVAILABLE" && value !== undefined)
      checker.unwritten(ref, value, reading.what);
  } else if (type === "get") {
    const shown = result.value === undefined ? { value: undefined } : { value: result.value };
    checker.read(atomic ? reading : checker.withBound(reading), ref, shown);
  } else if (type === "set" || existed === true)
    checker.wrote(reading, ref, { version: Number(version), value });
  else checker.read(reading, ref, { value: undefined });
}
