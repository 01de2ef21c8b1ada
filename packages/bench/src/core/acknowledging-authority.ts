import { MemoryError, MemoryTier } from "@cherry-ai/memory";
import type { ItemRecord, ItemRef, TierHealth, TierUsage } from "@cherry-ai/memory";
import type {
  AuthorityTier,
  FollowPoll,
  LeaseAnswer,
  SweepReport,
  WriteOperation,
  WriteResult,
} from "../../../memory/src/tiers/authority.ts";

/**
 * Says yes to every write and keeps none, so that a process holds nothing but the manager and its
 * copies. Counts the bytes it was given: keys and encoded values.
 */
export class AcknowledgingAuthority implements AuthorityTier {
  readonly name = MemoryTier.L3_POSTGRESQL;
  readonly capabilities = {
    role: "authority",
    holds: "bytes",
    synchronous: false,
    shared: false,
    durable: false,
    ephemeral: false,
  } as const;
  readonly exclusive = true;
  payloadBytes = 0;
  #version = 0;

  async initialize(): Promise<void> {}

  async close(): Promise<void> {}

  health(): TierHealth {
    return { status: "ready" };
  }

  usage(): TierUsage {
    const none = { hits: 0, misses: 0, evictions: 0, expirations: 0 };
    return { items: 0, bytes: 0, maxBytes: 0, maxItems: 0, ...none };
  }

  async getMany(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]> {
    return refs.map(() => undefined);
  }

  async newestVersions(refs: readonly ItemRef[]): Promise<readonly number[]> {
    return refs.map(() => 0);
  }

  async takeLease(): Promise<LeaseAnswer> {
    return { status: "granted", claim: { seenVersion: 0, token: undefined } };
  }

  async renewLease(): Promise<boolean> {
    return true;
  }

  async releaseLease(): Promise<void> {}

  async write(operations: readonly WriteOperation[]): Promise<readonly WriteResult[]> {
    return operations.map((operation): WriteResult => {
      this.#version += 1;
      if (operation.kind !== "put") return { status: "absent", version: this.#version };
      this.payloadBytes += Buffer.byteLength(operation.key) + operation.body.byteLength;
      return {
        status: "written",
        version: this.#version,
        existed: false,
        createdAtMs: 0,
        updatedAtMs: 0,
        expiresAtMs: undefined,
        deadlineMs: Number.POSITIVE_INFINITY,
      };
    });
  }

  async sweep(): Promise<SweepReport> {
    return { expired: 0, purgedTombstones: 0, trimmedChanges: 0, trimmedIdempotency: 0 };
  }

  async follow(): Promise<FollowPoll> {
    const state = { snapshot: "1:1:" };
    return { changes: [], state, epoch: "none", sentAtMs: 0, gap: false };
  }

  async refreshUsage(): Promise<void> {}

  async unfinishedJobs(): Promise<readonly never[]> {
    return [];
  }

  modify = refuse;
  search = refuse;
  exportPage = refuse;
  forgetChunk = refuse;
  clear = refuse;
  readChanges = refuse;
  changePosition = refuse;
  loadConsumer = refuse;
  saveConsumer = refuse;
  createJob = refuse;
  readJob = refuse;
  advanceJob = refuse;
}

async function refuse(): Promise<never> {
  throw new MemoryError("CAPABILITY_UNAVAILABLE", "this authority only acknowledges writes");
}
