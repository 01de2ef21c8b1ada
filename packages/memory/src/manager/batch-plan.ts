import type { Condition, PutOperation, WriteOperation, WriteResult } from "../tiers/authority.ts";

/** An operation of a batch, checked; `write` is absent for reads. */
export interface Foldable {
  readonly write: WriteOperation | undefined;
}

/**
 * What is known of an item at one point of a batch. "before": as the authority will find it, perhaps
 * with the new version of a touch.
 * "touched": the same value, surely there. "written", "removed": as an earlier operation left it.
 */
export type KnownState =
  | { readonly kind: "before"; readonly perhapsTouched: boolean }
  | { readonly kind: "touched" | "removed" }
  | { readonly kind: "written"; readonly put: PutOperation };

/** An operation with the state that it meets. */
export interface Planned<O extends Foldable> {
  readonly index: number;
  readonly operation: O;
  readonly meets: KnownState;
}

/** Operations on one key that at most one write carries out. */
export interface Group<O extends Foldable> {
  readonly planned: readonly Planned<O>[];
  /** The one write with their joint effect; undefined when they only read. */
  readonly write: WriteOperation | undefined;
  /** Whether some operation needs the item as it was before the write. */
  readonly readsBefore: boolean;
}

/** Whether a condition holds in a state that the batch itself has made; nobody can know its version yet. */
export function holdsIn(meets: KnownState, condition: Condition | undefined): boolean {
  if (condition === undefined) return true;
  return meets.kind === "removed" ? condition === "absent" : condition === "present";
}

/** Whether the operation, meeting this state, changes the item (or may: "before" is for the authority to say). */
function takesEffect(write: WriteOperation, meets: KnownState): boolean {
  if (meets.kind === "before") return true;
  if (!holdsIn(meets, write.condition)) return false;
  return write.kind === "put" || meets.kind !== "removed";
}

/** The one write with the effect of `first` and then `second`; judged by the first's condition. */
function join(first: WriteOperation | undefined, second: WriteOperation): WriteOperation {
  if (first === undefined) return second;
  if (second.kind === "touch" && first.kind === "put")
    return { ...first, ttlSeconds: second.ttlSeconds };
  const { condition: _, ...bare } = second;
  return first.condition === undefined ? bare : { ...bare, condition: first.condition };
}

/** In an atomic batch a touch that finds nothing ends the batch, so it is a condition. */
function asAtomic(write: WriteOperation): WriteOperation {
  return write.kind === "touch" && write.condition === undefined
    ? { ...write, condition: "present" }
    : write;
}

function stateAfter(write: WriteOperation, meets: KnownState, atomic: boolean): KnownState {
  if (write.kind === "put") return { kind: "written", put: write };
  if (write.kind === "remove") return { kind: "removed" };
  // Whether a touch found anything is known only where the batch would have ended otherwise.
  if (meets.kind !== "before") return meets;
  return atomic ? { kind: "touched" } : { kind: "before", perhapsTouched: true };
}

/**
 * Folds the operations on one key, in order, into groups that need one write each; a later group
 * waits for the answer of the one before. That is needed only where a condition meets what the
 * authority alone knows: in an atomic batch a failed condition ends everything, so what follows may
 * count on it and one group is enough.
 */
export function foldKey<O extends Foldable>(
  operations: readonly { readonly index: number; readonly operation: O }[],
  atomic: boolean,
): readonly Group<O>[] {
  const groups: Group<O>[] = [];
  let planned: Planned<O>[] = [];
  let joint: WriteOperation | undefined;
  let readsBefore = false;
  let meets: KnownState = { kind: "before", perhapsTouched: false };
  const close = (): void => {
    if (planned.length > 0) groups.push({ planned, write: joint, readsBefore });
    planned = [];
    joint = undefined;
    readsBefore = false;
    meets = { kind: "before", perhapsTouched: false };
  };
  for (const { index, operation } of operations) {
    const write: WriteOperation | undefined =
      operation.write && atomic ? asAtomic(operation.write) : operation.write;
    const asksAuthority: boolean = meets.kind === "before" && write?.condition !== undefined;
    if (asksAuthority && !atomic && joint !== undefined) close();
    planned.push({ index, operation, meets });
    if (write === undefined) readsBefore ||= meets.kind === "before" || meets.kind === "touched";
    else if (takesEffect(write, meets)) {
      joint = join(joint, write);
      meets = stateAfter(write, meets, atomic);
      if (asksAuthority && !atomic) close();
    }
  }
  close();
  return groups;
}

/** Whether a live item was there when the operation ran; undefined = only a read before it can tell. */
export function existedAt(meets: KnownState, result: WriteResult | undefined): boolean | undefined {
  if (meets.kind !== "before") return meets.kind !== "removed";
  if (result === undefined) return undefined;
  if (result.status === "written") return result.existed;
  return result.status === "conflict" && result.currentVersion !== null;
}
