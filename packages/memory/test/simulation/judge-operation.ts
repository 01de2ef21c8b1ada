import type { WriteOperation, WriteResult } from "../../src/tiers/authority.ts";
import { refId } from "../../src/tiers/tier.ts";
import { tombstone } from "./database-state.ts";
import type { DatabaseState, Row } from "./database-state.ts";

const MS_PER_SECOND = 1000;

export interface Judged {
  readonly result: WriteResult;
  /** What is written, or undefined. */
  readonly row: Row | undefined;
  /** The lease that ends with it. */
  readonly ends: string | undefined;
}

export interface Moment {
  readonly state: DatabaseState;
  readonly nowMs: number;
  /** Draws a version that is above the one known. */
  readonly nextVersion: (known: number) => number;
}

/** What one operation does, its row locked: write_items and store_loaded of the real database. */
export function judgeOperation(operation: WriteOperation, moment: Moment): Judged {
  const { state, nowMs, nextVersion } = moment;
  const live = state.live(operation, nowMs);
  const id = refId(operation);
  const known = state.rows.get(id);
  const lease = endedLease(operation, state, nowMs);
  if (!holds(operation, live, moment) || lease.isRefused) {
    const currentVersion = live?.version ?? null;
    return { result: { status: "conflict", currentVersion }, row: undefined, ends: undefined };
  }
  const ends = lease.id;
  const version = nextVersion(known?.version ?? 0);
  if (operation.kind !== "put" && live === undefined) {
    const isLoading = state.leases.has(refId(operation));
    const leavesTrace = operation.kind === "remove" && (operation.leaveTrace === true || isLoading);
    const row = leavesTrace ? tombstone(operation, version, nowMs) : undefined;
    return { result: { status: "absent", version }, row, ends };
  }
  const row = written(operation, { live, version, nowMs });
  return {
    result: {
      status: "written",
      version,
      existed: live !== undefined,
      createdAtMs: row.createdAtMs,
      updatedAtMs: row.updatedAtMs,
      expiresAtMs: row.expiresAtMs,
      deadlineMs: Number.POSITIVE_INFINITY,
    },
    row,
    ends,
  };
}

function holds(operation: WriteOperation, live: Row | undefined, moment: Moment): boolean {
  const { condition } = operation;
  const claim = operation.kind === "put" ? operation.claim : undefined;
  if (claim !== undefined)
    return live === undefined && moment.state.newestVersion(operation) <= claim.seenVersion;
  if (condition === undefined) return true;
  if (condition === "absent") return live === undefined;
  return live !== undefined && (condition === "present" || condition === live.version);
}

/** A put under a claim whose lease does not stand is refused. */
function endedLease(
  operation: WriteOperation,
  state: DatabaseState,
  nowMs: number,
): { readonly isRefused: boolean; readonly id?: string } {
  const token = operation.kind === "put" ? operation.claim?.token : undefined;
  if (token === undefined) return { isRefused: false };
  const id = refId(operation);
  const lease = state.leases.get(id);
  const stands = lease !== undefined && lease.token === token && lease.expiresAtMs > nowMs;
  return stands ? { isRefused: false, id } : { isRefused: true };
}

function written(
  operation: WriteOperation,
  at: { readonly live: Row | undefined; readonly version: number; readonly nowMs: number },
): Row {
  const { live, version, nowMs } = at;
  const { namespace, key } = operation;
  if (operation.kind === "remove") return tombstone(operation, version, nowMs);
  const source = operation.kind === "put" ? operation : live;
  const kept = operation.kind === "put" ? operation.expiresAtMs : undefined;
  const { ttlSeconds } = operation;
  return {
    namespace,
    key,
    version,
    body: source?.body,
    metadata: source?.metadata ?? {},
    tags: source?.tags ?? [],
    createdAtMs: live?.createdAtMs ?? nowMs,
    updatedAtMs: nowMs,
    expiresAtMs:
      kept ?? (ttlSeconds === undefined ? undefined : nowMs + ttlSeconds * MS_PER_SECOND),
  };
}
