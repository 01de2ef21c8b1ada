import type { WriteOperation, WriteResult } from "../../../../memory/src/tiers/authority.ts";
import { PostgresAuthority } from "../../../../memory/src/tiers/postgres/authority.ts";
import { patch } from "./patch.ts";

/** Conditions are not judged where the write is done. */
export function noConditions(): void {
  patch(PostgresAuthority.prototype, "write", (right) => {
    return function write(this: PostgresAuthority, operations, options) {
      return right.call(this, operations.map(withoutCondition), options);
    };
  });
}

/** What a loader brings is stored whatever has changed since it asked. */
export function noClaim(): void {
  patch(PostgresAuthority.prototype, "write", (right) => {
    return function write(this: PostgresAuthority, operations, options) {
      return right.call(this, operations.map(withoutClaim), options);
    };
  });
}

function withoutClaim(operation: WriteOperation): WriteOperation {
  if (operation.kind !== "put" || operation.claim === undefined) return operation;
  const { claim: _, condition: __, ...rest } = operation;
  return rest;
}

function withoutCondition(operation: WriteOperation): WriteOperation {
  const { condition: _, ...rest } = operation;
  return rest;
}

/** A write that failed is acknowledged all the same, and hoped for. */
export function acknowledgeAnyway(): void {
  patch(PostgresAuthority.prototype, "write", (right) => {
    return async function write(this: PostgresAuthority, operations, options) {
      try {
        return await right.call(this, operations, options);
      } catch {
        return operations.map(pretended);
      }
    };
  });
}

/** Below all real ones, so that no copy is kept under it. */
const NO_VERSION = 0;

function pretended(): WriteResult {
  return {
    status: "written",
    version: NO_VERSION,
    existed: true,
    createdAtMs: 0,
    updatedAtMs: 0,
    expiresAtMs: undefined,
    deadlineMs: Infinity,
  };
}
