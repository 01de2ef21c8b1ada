import { BatchAborted, VersionConflict, isMemoryError } from "../model/errors.ts";
import type { MemoryError } from "../model/errors.ts";
import type { WriteOperation } from "../tiers/authority.ts";
import type { CheckedOperation } from "./batch-inputs.ts";
import { holdsIn } from "./batch-plan.ts";
import type { Group, Planned } from "./batch-plan.ts";
import { describeCondition } from "./inputs.ts";
import type { ServedObject } from "./read-path.ts";
import { notFound } from "./write-path.ts";

type Before = ReadonlyMap<Group<CheckedOperation>, ServedObject | MemoryError | undefined>;

/** The first operation that contradicts what an earlier one of the same batch does, as an error. */
export function findDoomed(groups: readonly Group<CheckedOperation>[]): BatchAborted | undefined {
  let first: BatchAborted | undefined;
  for (const { planned } of groups)
    for (const { index, operation, meets } of planned) {
      if (meets.kind === "before" || index >= (first?.index ?? Number.POSITIVE_INFINITY)) continue;
      const { condition, kind } = operation.write ?? {};
      if (condition !== undefined && !holdsIn(meets, condition)) {
        const expected = describeCondition(condition);
        first = new BatchAborted(index, new VersionConflict(operation.key, expected, null));
      } else if (kind === "touch" && meets.kind === "removed")
        first = new BatchAborted(index, notFound(operation.key));
    }
  return first;
}

/** The first operation before `end` that fails against what was found, as an error. */
export function findFailing(
  groups: readonly Group<CheckedOperation>[],
  found: readonly (ServedObject | MemoryError | undefined)[],
  end: number,
): BatchAborted | undefined {
  let first: BatchAborted | undefined;
  for (const [at, { planned }] of groups.entries()) {
    const now = found[at];
    if (isMemoryError(now)) continue;
    const version = now?.record.version;
    for (const { index, operation, meets } of planned) {
      if (meets.kind !== "before" || index >= (first?.index ?? end)) continue;
      const reason = judge(operation, version);
      if (reason !== undefined) first = new BatchAborted(index, reason);
    }
  }
  return first;
}

/** Why an operation fails on a live item of this version (undefined: on none). */
function judge(operation: CheckedOperation, version: number | undefined): MemoryError | undefined {
  const { write, key } = operation;
  if (write === undefined) return undefined;
  const { condition } = write;
  if (condition === undefined)
    return write.kind === "touch" && version === undefined ? notFound(key) : undefined;
  const holds =
    condition === "absent"
      ? version === undefined
      : version !== undefined && (condition === "present" || condition === version);
  if (holds) return undefined;
  const current = version === undefined ? null : { version: String(version) };
  return new VersionConflict(key, describeCondition(condition), current);
}

/** The operation of a group that the authority judges. */
function judged(group: Group<CheckedOperation>): Planned<CheckedOperation> | undefined {
  return group.planned.find(
    ({ operation, meets }) => operation.write !== undefined && meets.kind === "before",
  );
}

/** Sorted so that the first write to fail is also the first operation to fail. */
export function inOrderOfJudgement(
  groups: readonly Group<CheckedOperation>[],
): readonly Group<CheckedOperation>[] {
  return groups.toSorted((a, b) => (judged(a)?.index ?? 0) - (judged(b)?.index ?? 0));
}

/** True when the group's write may be tied to what the group has read. */
function isTied(group: Group<CheckedOperation>): boolean {
  return group.readsBefore && group.write !== undefined && group.write.condition === undefined;
}

/**
 * The write of a group in an atomic batch. Where the group also reads, the write holds only if the
 * item still is as it was read: so reading and writing one key are one step.
 */
export function tiedWrite(
  group: Group<CheckedOperation>,
  before: Before,
): WriteOperation | undefined {
  if (!isTied(group) || group.write === undefined) return group.write;
  const read = before.get(group);
  if (isMemoryError(read)) return group.write;
  return { ...group.write, condition: read?.record.version ?? "absent" };
}

/** Whether the batch was aborted only because a tied item changed between reading and writing. */
export function changedMeanwhile(
  error: unknown,
  groups: readonly Group<CheckedOperation>[],
): boolean {
  if (!(error instanceof BatchAborted)) return false;
  const group = groups[error.index];
  return group !== undefined && isTied(group);
}

/** The same error, naming the operation of the batch instead of the write of the authority. */
export function inBatchOrder(error: unknown, groups: readonly Group<CheckedOperation>[]): unknown {
  if (!(error instanceof BatchAborted) || !isMemoryError(error.cause)) return error;
  const group = groups[error.index];
  const culprit = group && judged(group);
  if (culprit === undefined) return error;
  const missing =
    culprit.operation.type === "touch" && culprit.operation.write?.condition === undefined;
  return new BatchAborted(culprit.index, missing ? notFound(culprit.operation.key) : error.cause);
}
