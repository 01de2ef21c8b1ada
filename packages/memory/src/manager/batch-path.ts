import { MemoryError, VersionConflict, isMemoryError, toMemoryError } from "../model/errors.ts";
import type { MemoryTier } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import type { WriteResult } from "../tiers/authority.ts";
import { checkBatch } from "./batch-inputs.ts";
import type { CheckedOperation } from "./batch-inputs.ts";
import { existedAt, foldKey, holdsIn } from "./batch-plan.ts";
import type { Group, Planned } from "./batch-plan.ts";
import type { Core } from "./core.ts";
import { checkIdempotencyKey, describeCondition } from "./inputs.ts";
import type { BatchOperation, BatchOptions, BatchResult } from "./memory.ts";
import type { ReadPath, ServedObject } from "./read-path.ts";
import { notFound, placementOf, requestHash } from "./write-path.ts";
import type { WritePath } from "./write-path.ts";

/** What one operation came to, before it is timed. */
type Answer = Omit<BatchResult, "type" | "key" | "latencyMs">;

/** Carries out one operation by itself: for keys whose items are ephemeral. */
export type RunSingly = (operation: BatchOperation) => Promise<Answer>;

interface Run {
  readonly namespace: string;
  readonly options: BatchOptions;
  readonly answers: (Answer | undefined)[];
}

type Found = ServedObject | MemoryError | undefined;

export function failure(error: unknown): Answer {
  const { code, message, retryable } = toMemoryError(error);
  return {
    success: false,
    found: false,
    error: { code, message, retryable },
    tierAccessed: null,
  };
}

/** Batches: operations on one key folded, then one read and one write for all keys together. */
export class BatchPath {
  readonly #core: Core;
  readonly #read: ReadPath;
  readonly #write: WritePath;

  constructor(parts: { readonly core: Core; readonly read: ReadPath; readonly write: WritePath }) {
    this.#core = parts.core;
    this.#read = parts.read;
    this.#write = parts.write;
  }

  async run(
    namespace: string,
    operations: readonly BatchOperation[],
    options: BatchOptions & { readonly singly: RunSingly },
  ): Promise<BatchResult[]> {
    const beganMs = this.#core.clock.monotonicMs();
    const checked = checkBatch(namespace, operations, { core: this.#core, write: this.#write });
    const run: Run = {
      namespace,
      options,
      answers: Array.from<Answer | undefined>({ length: checked.length }),
    };
    const { folded, single } = this.#split(namespace, checked);
    this.#refuse(options, { folded, single });
    const latencies = new Float64Array(checked.length);
    const mark = (index: number): void => {
      latencies[index] = this.#core.clock.monotonicMs() - beganMs;
    };
    for (const { index, operation } of single) {
      run.answers[index] = await options.singly(operation.given);
      mark(index);
    }
    const wavesMax = folded.reduce((most, groups) => Math.max(most, groups.length), 0);
    for (let wave = 0; wave < wavesMax; wave += 1) {
      const groups = folded.flatMap((ofKey) => ofKey[wave] ?? []);
      await this.#wave(run, groups);
      for (const group of groups) for (const { index } of group.planned) mark(index);
    }
    return checked.map(({ type, key }, index) => ({
      type,
      key,
      ...(run.answers[index] ?? failure(new MemoryError("INTERNAL", "no answer"))),
      latencyMs: latencies[index] ?? 0,
    }));
  }

  /** Keys with ephemeral items go one operation at a time; they never meet the database. */
  #split(
    namespace: string,
    checked: readonly CheckedOperation[],
  ): {
    folded: (readonly Group<CheckedOperation>[])[];
    single: { index: number; operation: CheckedOperation }[];
  } {
    const byKey = new Map<string, { index: number; operation: CheckedOperation }[]>();
    for (const [index, operation] of checked.entries()) {
      const same = byKey.get(operation.key);
      if (same === undefined) byKey.set(operation.key, [{ index, operation }]);
      else same.push({ index, operation });
    }
    const folded: (readonly Group<CheckedOperation>[])[] = [];
    const single: { index: number; operation: CheckedOperation }[] = [];
    for (const [key, operations] of byKey) {
      const vanishing =
        operations.some(({ operation }) => operation.ephemeral) ||
        this.#core.ephemeral?.find({ namespace, key }) !== undefined;
      if (vanishing) single.push(...operations);
      else folded.push(foldKey(operations, false));
    }
    return { folded, single };
  }

  #refuse(
    options: BatchOptions,
    plan: { folded: (readonly Group<CheckedOperation>[])[]; single: readonly unknown[] },
  ): void {
    if (options.atomic === true && plan.single.length > 0)
      throw new MemoryError(
        "INVALID_ARGUMENT",
        "atomic: an atomic batch takes durable items only; send the ephemeral ones apart",
        { field: "atomic" },
      );
    if (options.atomic === true)
      for (const [at, groups] of plan.folded.entries())
        plan.folded[at] = foldKey(
          groups.flatMap((group) => group.planned),
          true,
        );
    const oneWrite = plan.single.length === 0 && plan.folded.every((groups) => groups.length <= 1);
    if (options.idempotencyKey !== undefined && !oneWrite)
      throw new MemoryError(
        "INVALID_ARGUMENT",
        "idempotencyKey: this batch needs several transactions; make it atomic or use each key once",
        { field: "idempotencyKey" },
      );
  }

  async #wave(run: Run, groups: readonly Group<CheckedOperation>[]): Promise<void> {
    const before = await this.#readBefore(run, groups);
    const writing = groups.filter((group) => group.write !== undefined);
    const outcome = await this.#writeAll(run, writing);
    for (const group of groups) {
      const result = outcome.get(group);
      for (const planned of group.planned)
        run.answers[planned.index] = isMemoryError(result)
          ? this.#answerFailed(planned, before.get(group), result)
          : this.#answer(planned, before.get(group), result);
    }
  }

  async #readBefore(
    run: Run,
    groups: readonly Group<CheckedOperation>[],
  ): Promise<Map<Group<CheckedOperation>, Found>> {
    const reading = groups.filter((group) => group.readsBefore);
    const before = new Map<Group<CheckedOperation>, Found>();
    if (reading.length === 0) return before;
    const { atomic, consistency } = run.options;
    const mode = atomic === true ? "latest" : consistency;
    const refs = reading.map((group) => ({
      namespace: run.namespace,
      key: group.planned[0]?.operation.key ?? "",
    }));
    try {
      const found = await this.#read.readSettled(
        refs,
        mode === undefined ? undefined : { consistency: mode },
      );
      for (const [at, group] of reading.entries()) before.set(group, found[at]);
    } catch (error) {
      if (atomic === true) throw error;
      for (const group of reading) before.set(group, toMemoryError(error));
    }
    return before;
  }

  async #writeAll(
    run: Run,
    groups: readonly Group<CheckedOperation>[],
  ): Promise<Map<Group<CheckedOperation>, WriteResult | MemoryError | undefined>> {
    const outcome = new Map<Group<CheckedOperation>, WriteResult | MemoryError | undefined>();
    const writes = groups.flatMap((group) => group.write ?? []);
    if (writes.length === 0) return outcome;
    const { atomic, idempotencyKey } = run.options;
    try {
      const { results } = await this.#write.write(writes, {
        atomic: atomic === true,
        ...(idempotencyKey === undefined
          ? {}
          : {
              idempotency: {
                namespace: run.namespace,
                id: checkIdempotencyKey(idempotencyKey),
                requestHash: requestHash(["batch", atomic === true, writes]),
              },
            }),
        placement: (at) => placementOf(hintOf(groups[at])),
      });
      for (const [at, group] of groups.entries()) outcome.set(group, results[at]);
    } catch (error) {
      if (atomic === true || idempotencyKey !== undefined) throw error;
      for (const group of groups) outcome.set(group, toMemoryError(error));
    }
    return outcome;
  }

  #answerFailed(planned: Planned<CheckedOperation>, before: Found, error: MemoryError): Answer {
    const onlyReads = planned.operation.write === undefined && planned.meets.kind === "before";
    return onlyReads ? this.#answer(planned, before, undefined) : failure(error);
  }

  #answer(
    planned: Planned<CheckedOperation>,
    before: Found,
    result: WriteResult | undefined,
  ): Answer {
    const { operation } = planned;
    return operation.write === undefined
      ? this.#answerRead(planned, before)
      : this.#answerWrite(planned, result);
  }

  #answerRead({ operation, meets }: Planned<CheckedOperation>, before: Found): Answer {
    const { authority, codec } = this.#core;
    if (meets.kind === "removed" || meets.kind === "written") {
      const found = meets.kind === "written";
      const value =
        operation.type === "exists"
          ? found
          : meets.kind === "written"
            ? deepFreeze(codec.decode(meets.put.body, meets.put))
            : undefined;
      const valued = value === undefined ? {} : { value };
      return { success: true, found, ...valued, tierAccessed: authority.name };
    }
    if (isMemoryError(before)) return failure(before);
    const found = before !== undefined;
    const tierAccessed: MemoryTier = before?.tier ?? authority.name;
    const value = operation.type === "exists" ? found : before?.record.value;
    return {
      success: true,
      found,
      ...(value === undefined ? {} : { value }),
      ...(before === undefined ? {} : { version: String(before.record.version) }),
      tierAccessed,
    };
  }

  #answerWrite(planned: Planned<CheckedOperation>, result: WriteResult | undefined): Answer {
    const { operation, meets } = planned;
    const { authority } = this.#core;
    const condition = operation.write?.condition;
    const existed = existedAt(meets, result) ?? false;
    const conflict =
      meets.kind === "before" ? result?.status === "conflict" : !holdsIn(meets, condition);
    if (conflict) {
      const current = result?.status === "conflict" ? result.currentVersion : result?.version;
      const shown = existed && current !== undefined && current !== null;
      const expected = condition === undefined ? "a write" : describeCondition(condition);
      return failure(
        new VersionConflict(operation.key, expected, shown ? { version: String(current) } : null),
      );
    }
    if (operation.type === "touch" && !existed) return failure(notFound(operation.key));
    const version =
      result === undefined || result.status === "conflict"
        ? {}
        : { version: String(result.version) };
    return {
      success: true,
      found: operation.type === "set" ? true : existed,
      ...version,
      ...(operation.type === "delete" ? { existed } : {}),
      tierAccessed: authority.name,
    };
  }
}

/** The last hint given for the key is where the copy goes. */
function hintOf(group: Group<CheckedOperation> | undefined): MemoryTier | undefined {
  return group?.planned.findLast(({ operation }) => operation.type === "set")?.operation.tierHint;
}
