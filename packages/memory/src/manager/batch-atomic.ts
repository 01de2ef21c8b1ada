import { BatchAborted, VersionConflict, isMemoryError } from "../model/errors.ts";
import type { MemoryError } from "../model/errors.ts";
import type { WriteOperation } from "../tiers/authority.ts";
import type { CheckedOperation } from "./batch-inputs.ts";
import { holdsIn } from "./batch-plan.ts";
import type { Group } from "./batch-plan.ts";
import { describeCondition } from "./inputs.ts";
import type { ServedObject } from "./read-path.ts";
import { notFound } from "./write-path.ts";

type Before = ReadonlyMap<Group<CheckedOperation>, ServedObject | MemoryError | undefined>;

/**
 * Refuses an atomic batch that cannot succeed whatever the authority holds: an operation contradicts
 * what an earlier one of the same batch does.
 */
export function refuseDoomed(groups: readonly Group<CheckedOperation>[]): void {
  for (const { planned } of groups)
    for (const { index, operation, meets } of planned) {
      const { write } = operation;
      if (write === undefined || meets.kind === "before") continue;
      const { condition } = write;
      if (condition !== undefined && !holdsIn(meets, condition))
        throw new BatchAborted(
          index,
          new VersionConflict(operation.key, describeCondition(condition), null),
        );
      if (write.kind === "touch" && meets.kind === "removed")
        throw new BatchAborted(index, notFound(operation.key));
    }
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
  const culprit = groups[error.index]?.planned.find(
    ({ operation, meets }) => operation.write !== undefined && meets.kind === "before",
  );
  if (culprit === undefined) return error;
  const missing =
    culprit.operation.type === "touch" && culprit.operation.write?.condition === undefined;
  return new BatchAborted(culprit.index, missing ? notFound(culprit.operation.key) : error.cause);
}
