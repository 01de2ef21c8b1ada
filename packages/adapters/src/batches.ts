import { DEFAULT_LIMITS, ERROR_CODES, MemoryError, isMemoryError } from "@cherry-ai/memory";
import type { BatchOperation, BatchResult, ErrorCode, Memory } from "@cherry-ai/memory";

/** Any number of operations, in as few batches as the memory's limits allow; results in order. */
export async function runInBatches(
  memory: Memory,
  operations: readonly BatchOperation[],
): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for (const batch of intoBatches(operations)) {
    results.push(...(await memory.batchOperations(batch)));
  }
  return results;
}

/**
 * The same, where a batch that is refused for one wrong operation is carried out one by one: then
 * the others are done, and the answers tell which one it was.
 */
export async function runEach(
  memory: Memory,
  operations: readonly BatchOperation[],
): Promise<(MemoryError | undefined)[]> {
  const failures: (MemoryError | undefined)[] = [];
  for (const batch of intoBatches(operations)) {
    try {
      failures.push(...(await memory.batchOperations(batch)).map(failureOf));
    } catch (error) {
      if (!isMemoryError(error)) throw error;
      if (isRefusal(error) && batch.length > 1)
        for (const one of batch) failures.push(...(await runEach(memory, [one])));
      else failures.push(...batch.map(() => error));
    }
  }
  return failures;
}

/** Throws what the first failed operation failed with. */
export function throwFirstFailure(results: readonly BatchResult[]): void {
  for (const result of results) {
    const failure = failureOf(result);
    if (failure !== undefined) throw failure;
  }
}

/** A list cut into pieces of at most so many. */
export function pieces<T>(list: readonly T[], lengthMax: number): T[][] {
  const cut: T[][] = [];
  for (let from = 0; from < list.length; from += lengthMax)
    cut.push(list.slice(from, from + lengthMax));
  return cut;
}

/** What an operation of a batch failed with; undefined = it succeeded. */
function failureOf(result: BatchResult): MemoryError | undefined {
  const { error } = result;
  if (error === undefined) return undefined;
  return new MemoryError(isErrorCode(error.code) ? error.code : "INTERNAL", error.message);
}

function* intoBatches(operations: readonly BatchOperation[]): Generator<BatchOperation[]> {
  let batch: BatchOperation[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const added = valueBytes(operation);
    const full =
      batch.length === DEFAULT_LIMITS.batchOperations || bytes + added > DEFAULT_LIMITS.batchBytes;
    if (full && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(operation);
    bytes += added;
  }
  if (batch.length > 0) yield batch;
}

function valueBytes(operation: BatchOperation): number {
  if (operation.type !== "set") return 0;
  // Undefined for what JSON cannot say, which the memory refuses by itself.
  const json: string | undefined = JSON.stringify(operation.value);
  return json === undefined ? 0 : Buffer.byteLength(json);
}

/** Nothing was done because an operation broke a rule: its place is in `field`. */
function isRefusal(error: MemoryError): boolean {
  return error.field?.startsWith("operations[") === true;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
