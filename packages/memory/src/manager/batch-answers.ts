import { VersionConflict, isMemoryError, toMemoryError } from "../model/errors.ts";
import type { MemoryError } from "../model/errors.ts";
import type { MemoryTier } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import type { WriteResult } from "../tiers/authority.ts";
import type { CheckedOperation } from "./batch-inputs.ts";
import { existedAt, holdsIn } from "./batch-plan.ts";
import type { Planned } from "./batch-plan.ts";
import type { Core } from "./core.ts";
import { describeCondition } from "./inputs.ts";
import type { BatchResult } from "./memory.ts";
import type { ServedObject } from "./read-path.ts";
import { notFound } from "./write-path.ts";

/** What one operation came to, before it is timed. */
export type Answer = Omit<BatchResult, "type" | "key" | "latencyMs">;

/** What a read before the write found; an item that cannot be read answers with its error. */
export type Found = ServedObject | MemoryError | undefined;

export function failure(error: unknown): Answer {
  const { code, message, retryable } = toMemoryError(error);
  return {
    success: false,
    found: false,
    error: { code, message, retryable },
    tierAccessed: null,
  };
}

/** What an operation of a group came to. */
export function answer(
  core: Core,
  planned: Planned<CheckedOperation>,
  group: { readonly before: Found; readonly result: WriteResult | MemoryError | undefined },
): Answer {
  const { before, result } = group;
  const { operation, meets } = planned;
  if (operation.write === undefined) {
    // A read of the state before the write does not depend on whether the write succeeded.
    const failed = isMemoryError(result) && meets.kind !== "before";
    return failed ? failure(result) : answerRead(core, planned, before);
  }
  return isMemoryError(result) ? failure(result) : answerWrite(core, planned, result);
}

function answerRead(
  core: Core,
  { operation, meets }: Planned<CheckedOperation>,
  before: Found,
): Answer {
  const { authority, codec } = core;
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

function answerWrite(
  core: Core,
  planned: Planned<CheckedOperation>,
  result: WriteResult | undefined,
): Answer {
  const { operation, meets } = planned;
  const { authority } = core;
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
    result === undefined || result.status === "conflict" ? {} : { version: String(result.version) };
  return {
    success: true,
    found: operation.type === "set" ? true : existed,
    ...version,
    ...(operation.type === "delete" ? { existed } : {}),
    tierAccessed: authority.name,
  };
}
