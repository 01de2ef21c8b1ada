import type { ItemRecord } from "../../src/model/item.ts";
import { EPHEMERAL_VERSION_MIN } from "../../src/model/version.ts";
import type {
  EphemeralPut,
  EphemeralResult,
  LeaseRequest,
  LogPlace,
  SettledChange,
  SettleOutcome,
  SharedCopy,
} from "../../src/tiers/shared.ts";
import type { SharedSlot, SimulatedRedis } from "./simulated-redis.ts";
import { WALL_START_MS } from "./simulated-process.ts";

export interface SharedLives {
  readonly leaseMs: number;
  readonly copyMs: number;
  readonly markerMs: number;
}

type Condition = EphemeralPut["condition"];
type Ephemeral = Extract<SharedSlot, { kind: "ephemeral" }>;

const US_PER_MS = 1000;

/** What the scripts of tiers/redis do to one key, in one step. */
export class SharedRules {
  readonly #redis: SimulatedRedis;
  readonly #lives: SharedLives;

  constructor(redis: SimulatedRedis, lives: SharedLives) {
    this.#redis = redis;
    this.#lives = lives;
  }

  lease(name: string, { minVersion, minProvenAt }: LeaseRequest): string | undefined {
    const slot = this.#redis.find(name);
    const { nowMs } = this.#redis;
    const { leaseMs, markerMs } = this.#lives;
    let floor = minVersion;
    if (slot?.kind === "lease" && this.#isHeld(slot)) {
      if (minVersion > slot.floor)
        this.#redis.slots.set(name, { ...slot, floor: minVersion, endsAtMs: nowMs + markerMs });
      return undefined;
    }
    if (slot?.kind === "lease") floor = Math.max(floor, slot.floor);
    else if (slot?.kind === "marker") floor = Math.max(floor, slot.version);
    else if (slot?.kind === "copy") {
      const { version } = slot.record;
      if (version >= minVersion && slot.provenAt > minProvenAt) return undefined;
      floor = Math.max(floor, version);
    } else if (slot?.kind === "ephemeral" && slot.baseVersion >= minVersion) return undefined;
    const token = this.#redis.newToken();
    const endsAtMs = nowMs + (floor > 0 ? markerMs : leaseMs);
    this.#redis.slots.set(name, { kind: "lease", floor, token, sinceMs: nowMs, endsAtMs });
    return token;
  }

  /** `remainingMs`: what was left of a lifetime when the grant was known; undefined: no end. */
  fill(
    name: string,
    {
      record,
      provenAt,
      token,
      remainingMs,
    }: SharedCopy & { readonly token: string; readonly remainingMs: number | undefined },
  ): boolean {
    const slot = this.#redis.find(name);
    if (slot?.kind !== "lease" || slot.token !== token || !this.#isHeld(slot)) return false;
    const { nowMs } = this.#redis;
    let lifeMs = this.#lives.copyMs;
    if (remainingMs !== undefined) lifeMs = Math.min(lifeMs, slot.sinceMs + remainingMs - nowMs);
    if (record.version < slot.floor || lifeMs < 1) {
      this.#unlease(name, slot.floor);
      return false;
    }
    this.#redis.slots.set(name, {
      kind: "copy",
      record,
      provenAt,
      endsAtMs: nowMs + Math.floor(lifeMs),
    });
    return true;
  }

  /** What no rule allows: stores a copy whoever asks, whatever lies there but an ephemeral item. */
  overwrite(name: string, { record, provenAt }: SharedCopy): boolean {
    if (this.#ephemeral(name) !== undefined || hasTtl(record)) return false;
    const endsAtMs = this.#redis.nowMs + this.#lives.copyMs;
    this.#redis.slots.set(name, { kind: "copy", record, provenAt, endsAtMs });
    return true;
  }

  release(name: string, token: string): void {
    const slot = this.#redis.find(name);
    if (slot?.kind === "lease" && slot.token === token) this.#unlease(name, slot.floor);
  }

  settle(name: string, { version, copy }: SettledChange): SettleOutcome {
    const slot = this.#redis.find(name);
    const { nowMs } = this.#redis;
    if (slot !== undefined && knownVersion(slot) >= version) return "older";
    const isKept = copy !== undefined && !hasTtl(copy.record);
    if (isKept && slot !== undefined && slot.kind !== "lease") {
      const endsAtMs = nowMs + this.#lives.copyMs;
      this.#redis.slots.set(name, { kind: "copy", ...copy, endsAtMs });
      return "stored";
    }
    const endsAtMs = nowMs + this.#lives.markerMs;
    this.#redis.slots.set(name, { kind: "marker", version, endsAtMs });
    return "marked";
  }

  putEphemeral(name: string, put: EphemeralPut): EphemeralResult {
    const { record, ttlMs, condition } = put;
    const slot = this.#redis.find(name);
    const live = slot?.kind === "ephemeral" ? slot : undefined;
    if (!holds(live, condition)) return conflict(live);
    if (live === undefined && slot !== undefined && knownVersion(slot) > put.baseVersion)
      return { status: "durable", version: knownVersion(slot) };
    const provenAt = Math.max(put.provenAt, live?.provenAt ?? 0);
    const baseVersion = Math.max(put.baseVersion, live?.baseVersion ?? 0);
    const version = this.#store(name, { record, provenAt, baseVersion, ttlMs, live });
    return { status: "written", version, existed: live !== undefined };
  }

  removeEphemeral(name: string, condition: Condition): EphemeralResult {
    const live = this.#ephemeral(name);
    if (!holds(live, condition)) return conflict(live);
    if (live === undefined) return NOTHING_THERE;
    this.#redis.slots.delete(name);
    this.#redis.trace(() => `    in Redis: ${live.record.namespace}:${live.record.key} removed`);
    return { status: "written", version: live.record.version, existed: true };
  }

  touchEphemeral(name: string, ttlMs: number | undefined, condition: Condition): EphemeralResult {
    const live = this.#ephemeral(name);
    if (!holds(live, condition)) return conflict(live);
    if (live === undefined) return NOTHING_THERE;
    const version = this.#store(name, { ...live, ttlMs, live });
    return { status: "written", version, existed: true };
  }

  prove(
    name: string,
    proof: { readonly version: number; readonly provenAt: LogPlace; readonly baseVersion: number },
  ): void {
    const live = this.#ephemeral(name);
    if (live?.record.version !== proof.version) return;
    const provenAt = Math.max(proof.provenAt, live.provenAt);
    const baseVersion = Math.max(proof.baseVersion, live.baseVersion);
    this.#redis.slots.set(name, { ...live, provenAt, baseVersion });
  }

  #ephemeral(name: string): Ephemeral | undefined {
    const slot = this.#redis.find(name);
    return slot?.kind === "ephemeral" ? slot : undefined;
  }

  #store(
    name: string,
    made: {
      readonly record: ItemRecord;
      readonly provenAt: number;
      readonly baseVersion: number;
      readonly ttlMs: number | undefined;
      readonly live: Ephemeral | undefined;
    },
  ): number {
    const { nowMs } = this.#redis;
    const { provenAt, baseVersion, ttlMs, live } = made;
    const clockVersion = EPHEMERAL_VERSION_MIN + (WALL_START_MS + nowMs) * US_PER_MS;
    const version = Math.max((live?.record.version ?? 0) + 1, clockVersion);
    const lifeMs = ttlMs === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(ttlMs));
    const endsAtMs = nowMs + lifeMs;
    const expiresAtMs = ttlMs === undefined ? undefined : WALL_START_MS + endsAtMs;
    const record = { ...made.record, version, expiresAtMs };
    this.#redis.slots.set(name, { kind: "ephemeral", record, provenAt, baseVersion, endsAtMs });
    this.#redis.listener.ephemeralSet(name, record, endsAtMs);
    return version;
  }

  #unlease(name: string, floor: number): void {
    if (floor <= 0) this.#redis.slots.delete(name);
    else {
      const endsAtMs = this.#redis.nowMs + this.#lives.markerMs;
      this.#redis.slots.set(name, { kind: "marker", version: floor, endsAtMs });
    }
  }

  #isHeld(slot: Extract<SharedSlot, { kind: "lease" }>): boolean {
    return this.#redis.nowMs < slot.sinceMs + this.#lives.leaseMs;
  }
}

const NOTHING_THERE: EphemeralResult = { status: "written", version: 0, existed: false };

/** Whether it ends at some time, which a copy that is settled in cannot. */
export function hasTtl(record: ItemRecord): boolean {
  return record.expiresAtMs !== undefined || record.deadlineMs !== Number.POSITIVE_INFINITY;
}

function knownVersion(slot: SharedSlot): number {
  if (slot.kind === "lease") return slot.floor;
  if (slot.kind === "ephemeral") return slot.baseVersion;
  return slot.kind === "marker" ? slot.version : slot.record.version;
}

function holds(live: Ephemeral | undefined, condition: Condition): boolean {
  if (condition === undefined) return true;
  if (condition === "absent") return live === undefined;
  return live !== undefined && (condition === "present" || condition === live.record.version);
}

function conflict(live: Ephemeral | undefined): EphemeralResult {
  return { status: "conflict", currentVersion: live?.record.version ?? null };
}
