import { MemoryError, isMemoryError, toMemoryError } from "../model/errors.ts";
import type { MemoryTier } from "../model/item.ts";
import type { WriteResult } from "../tiers/authority.ts";
import { answer, failure } from "./batch-answers.ts";
import type { Answer, Found } from "./batch-answers.ts";
import {
  changedMeanwhile,
  findDoomed,
  findFailing,
  inBatchOrder,
  inOrderOfJudgement,
  tiedWrite,
} from "./batch-atomic.ts";
import { checkBatch } from "./batch-inputs.ts";
import type { CheckedOperation } from "./batch-inputs.ts";
import { foldKey } from "./batch-plan.ts";
import type { Group } from "./batch-plan.ts";
import type { Core } from "./core.ts";
import { checkIdempotencyKey } from "./inputs.ts";
import type { BatchOperation, BatchOptions, BatchResult } from "./memory.ts";
import type { EphemeralPath } from "./ephemeral-path.ts";
import type { PathOptions } from "./path-options.ts";
import type { ReadPath } from "./read-path.ts";
import type { Parts } from "./runtime.ts";
import { placementOf, requestHash } from "./write-path.ts";
import type { WritePath } from "./write-path.ts";

/** Carries out one operation by itself: for keys whose items are ephemeral. */
export type RunSingly = (operation: BatchOperation) => Promise<Answer>;

interface Run {
  readonly namespace: string;
  readonly options: BatchOptions & Pick<PathOptions, "demand">;
  readonly given: readonly BatchOperation[];
  readonly answers: (Answer | undefined)[];
}

/** Tries of an atomic batch that reads an item which others keep changing before it can write it. */
const ATOMIC_TRIES_MAX = 20;

/** Batches: operations on one key folded, then one read and one write for all keys together. */
export class BatchPath {
  readonly #core: Core;
  readonly #read: ReadPath;
  readonly #write: WritePath;
  readonly #ephemeral: EphemeralPath;

  constructor(parts: Pick<Parts, "core" | "read" | "write" | "ephemeral">) {
    this.#core = parts.core;
    this.#read = parts.read;
    this.#write = parts.write;
    this.#ephemeral = parts.ephemeral;
  }

  async run(
    namespace: string,
    operations: readonly BatchOperation[],
    options: BatchOptions & Pick<PathOptions, "demand"> & { readonly singly: RunSingly },
  ): Promise<BatchResult[]> {
    const beganMs = this.#core.clock.monotonicMs();
    const checked = checkBatch(namespace, operations, { core: this.#core, write: this.#write });
    const run: Run = {
      namespace,
      options,
      given: operations,
      answers: Array.from<Answer | undefined>({ length: checked.length }),
    };
    const { folded, single } = await this.#split(namespace, checked, options.atomic === true);
    refuseImpossible(options, { folded, single });
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
  async #split(
    namespace: string,
    checked: readonly CheckedOperation[],
    atomic: boolean,
  ): Promise<{
    folded: (readonly Group<CheckedOperation>[])[];
    single: { index: number; operation: CheckedOperation }[];
  }> {
    const byKey = new Map<string, { index: number; operation: CheckedOperation }[]>();
    for (const [index, operation] of checked.entries()) {
      const same = byKey.get(operation.key);
      if (same === undefined) byKey.set(operation.key, [{ index, operation }]);
      else same.push({ index, operation });
    }
    const folded: (readonly Group<CheckedOperation>[])[] = [];
    const single: { index: number; operation: CheckedOperation }[] = [];
    // A read finds an ephemeral item by itself, and a set without a condition takes its place.
    const perhaps = [...byKey].filter(([, operations]) =>
      operations.some(({ operation }) => dependsOnWhatIsThere(operation)),
    );
    const ephemeral = await this.#ephemeral.among(
      namespace,
      perhaps.map(([key]) => key),
    );
    for (const [key, operations] of byKey) {
      const vanishing =
        operations.some(({ operation }) => operation.ephemeral) || ephemeral.has(key);
      if (vanishing) single.push(...operations);
      else folded.push(foldKey(operations, atomic));
    }
    return { folded, single };
  }

  async #wave(run: Run, groups: readonly Group<CheckedOperation>[]): Promise<void> {
    if (run.options.atomic === true) await this.#refuseDoomed(run.namespace, groups);
    const writing = inOrderOfJudgement(groups.filter((group) => group.write !== undefined));
    for (let attempt = 1; ; attempt += 1) {
      const before = await this.#readBefore(run, groups);
      try {
        this.#answerAll(run, groups, {
          before,
          outcome: await this.#writeAll(run, writing, before),
        });
        return;
      } catch (error) {
        const again = changedMeanwhile(error, writing) && attempt < ATOMIC_TRIES_MAX;
        if (!again) throw inBatchOrder(error, writing);
      }
    }
  }

  /** The first operation that fails is named, so those before the doomed one are judged by a read. */
  async #refuseDoomed(
    namespace: string,
    groups: readonly Group<CheckedOperation>[],
  ): Promise<void> {
    const doomed = findDoomed(groups);
    if (doomed === undefined) return;
    const refs = groups.map((group) => ({ namespace, key: keyOf(group) }));
    const found = await this.#read.readSettled(refs, { consistency: "latest" });
    throw findFailing(groups, found, doomed.index) ?? doomed;
  }

  #answerAll(
    run: Run,
    groups: readonly Group<CheckedOperation>[],
    {
      before,
      outcome,
    }: {
      readonly before: ReadonlyMap<Group<CheckedOperation>, Found>;
      readonly outcome: ReadonlyMap<Group<CheckedOperation>, WriteResult | MemoryError | undefined>;
    },
  ): void {
    for (const group of groups) {
      const result = outcome.get(group);
      for (const planned of group.planned)
        run.answers[planned.index] = answer(this.#core, planned, {
          before: before.get(group),
          write: group.write,
          result,
        });
    }
  }

  async #readBefore(
    run: Run,
    groups: readonly Group<CheckedOperation>[],
  ): Promise<Map<Group<CheckedOperation>, Found>> {
    const reading = groups.filter((group) => group.readsBefore);
    const before = new Map<Group<CheckedOperation>, Found>();
    if (reading.length === 0) return before;
    const { atomic, consistency, demand } = run.options;
    const mode = atomic === true ? "latest" : consistency;
    const refs = reading.map((group) => ({ namespace: run.namespace, key: keyOf(group) }));
    try {
      const found = await this.#read.readSettled(refs, {
        ...(mode === undefined ? {} : { consistency: mode }),
        ...(demand === undefined ? {} : { demand }),
      });
      const failed = found.find(isMemoryError);
      if (atomic === true && failed !== undefined) throw failed;
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
    before: ReadonlyMap<Group<CheckedOperation>, Found>,
  ): Promise<Map<Group<CheckedOperation>, WriteResult | MemoryError | undefined>> {
    const outcome = new Map<Group<CheckedOperation>, WriteResult | MemoryError | undefined>();
    const { atomic, idempotencyKey } = run.options;
    const isShared = this.#core.shared !== undefined;
    const writes = groups.flatMap((group) => {
      const write = atomic === true ? tiedWrite(group, before) : group.write;
      // An ephemeral item that the shared tier has not found, or finds again, ends by the trace.
      if (isShared && write?.kind === "remove") return { ...write, leaveTrace: true };
      return write ?? [];
    });
    if (writes.length === 0) return outcome;
    try {
      const { results } = await this.#write.write(writes, {
        atomic: atomic === true,
        ...(idempotencyKey === undefined
          ? {}
          : {
              idempotency: {
                namespace: run.namespace,
                id: checkIdempotencyKey(idempotencyKey),
                // What was asked for, not what is stored: encryption makes the same value other bytes.
                requestHash: requestHash(["batch", atomic === true, run.given]),
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
}

/** Whether it does something else to an ephemeral item than to a durable one. */
function dependsOnWhatIsThere({ type, write }: CheckedOperation): boolean {
  return type === "delete" || type === "touch" || write?.condition !== undefined;
}

function keyOf(group: Group<CheckedOperation>): string {
  return group.planned[0]?.operation.key ?? "";
}

/** Refuses combinations that no number of round trips could keep the promise of. */
function refuseImpossible(
  options: BatchOptions,
  plan: {
    readonly folded: readonly (readonly Group<CheckedOperation>[])[];
    readonly single: readonly unknown[];
  },
): void {
  if (options.atomic === true && plan.single.length > 0)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      "atomic: an atomic batch takes durable items only; send the ephemeral ones apart",
      { field: "atomic" },
    );
  const oneWrite = plan.single.length === 0 && plan.folded.every((groups) => groups.length <= 1);
  if (options.idempotencyKey !== undefined && !oneWrite)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      "idempotencyKey: this batch needs several transactions; make it atomic or use each key once",
      { field: "idempotencyKey" },
    );
}

/** The last hint given for the key is where the copy goes. */
function hintOf(group: Group<CheckedOperation> | undefined): MemoryTier | undefined {
  return group?.planned.findLast(({ operation }) => operation.type === "set")?.operation.tierHint;
}
