import { VersionConflict, isMemoryError, toMemoryError } from "../model/errors.ts";
import type { MemoryError } from "../model/errors.ts";
import type { JsonValue, MemoryTier } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import type { WriteOperation, WriteResult } from "../tiers/authority.ts";
import type { CheckedOperation } from "./batch-inputs.ts";
import { existedAt, holdsIn } from "./batch-plan.ts";
import type { KnownState, Planned } from "./batch-plan.ts";
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

/** What the group of an operation came to. */
export interface GroupOutcome {
  readonly before: Found;
  /** The group's one write, and its result or failure. */
  readonly write: WriteOperation | undefined;
  readonly result: WriteResult | MemoryError | undefined;
}

/** What an operation of a group came to. */
export function answer(
  core: Core,
  planned: Planned<CheckedOperation>,
  outcome: GroupOutcome,
): Answer {
  const { result } = outcome;
  const { operation, meets } = planned;
  if (operation.write === undefined) {
    // A read of the state before the write does not depend on whether the write succeeded.
    const failed = isMemoryError(result) && meets.kind !== "before";
    return failed ? failure(result) : answerRead(core, planned, outcome);
  }
  return isMemoryError(result) ? failure(result) : answerWrite(core, planned, result);
}

function answerRead(
  core: Core,
  { operation, meets }: Planned<CheckedOperation>,
  outcome: GroupOutcome,
): Answer {
  const { authority, codec } = core;
  const { before } = outcome;
  const wantsValue = operation.type === "get";
  const version = versionSeen(meets, outcome);
  if (meets.kind === "removed")
    return answerFound(false, wantsValue ? undefined : false, authority.name);
  if (meets.kind === "written") {
    const value = wantsValue ? deepFreeze(codec.decode(meets.put.body, meets.put)) : true;
    return { ...answerFound(true, value, authority.name), ...version };
  }
  if (isMemoryError(before)) return failure(before);
  if (before === undefined)
    return answerFound(false, wantsValue ? undefined : false, authority.name);
  return {
    ...answerFound(true, wantsValue ? before.record.value : true, before.tier),
    ...version,
  };
}

function answerFound(found: boolean, value: JsonValue | undefined, tier: MemoryTier): Answer {
  return { success: true, found, ...(value === undefined ? {} : { value }), tierAccessed: tier };
}

/**
 * The version of what a read in a group shows. Left out where a later operation of the same group
 * replaced it: that state was never committed by itself, so it has no version.
 */
function versionSeen(
  meets: KnownState,
  { before, write, result }: GroupOutcome,
): { readonly version?: string } {
  const written =
    result !== undefined && !isMemoryError(result) && result.status === "written"
      ? result.version
      : undefined;
  const found = before === undefined || isMemoryError(before) ? undefined : before.record.version;
  if (meets.kind === "written") {
    const isLast = write?.kind === "put" && write.body === meets.put.body;
    return isLast && written !== undefined ? { version: String(written) } : {};
  }
  const isTouched = meets.kind === "touched" || (meets.kind === "before" && meets.perhapsTouched);
  if (isTouched && written !== undefined)
    return write?.kind === "touch" ? { version: String(written) } : {};
  return found === undefined ? {} : { version: String(found) };
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
