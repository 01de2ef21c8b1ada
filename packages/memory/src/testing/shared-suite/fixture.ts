import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Clock } from "../../model/clock.ts";
import type { ItemRecord, ItemRef } from "../../model/item.ts";
import type {
  BusMessage,
  EphemeralPut,
  EphemeralResult,
  LeaseRequest,
  LeaseToken,
  SettleOutcome,
  SharedCopy,
  SharedTier,
} from "../../tiers/shared.ts";
import type { SuiteCase } from "../suite.ts";

export interface SharedTierOptions {
  readonly epoch: string;
  readonly leaseMs: number;
}

/** How the suite reaches the shared tier under test. */
export interface SharedTierMaker {
  /** Another server's way to one and the same tier, initialized, with this epoch in use. */
  readonly open: (options: SharedTierOptions) => Promise<SharedTier>;
  /** Of the servers that it opens. */
  readonly clock: Clock;
  /** Lets so much time pass, at least, for the tier too. */
  readonly pass: (durationMs: number) => Promise<void>;
  /** The tier forgets everything. */
  readonly flush: () => Promise<void>;
}

/** Longer than any case takes. */
const LONG_MS = 60_000;
const MESSAGE_WAITS_MAX = 500;

let casesOpened = 0;

/** One case: an epoch of its own, so that cases may share a tier, and short ways to say things. */
export class SharedFixture {
  readonly #maker: SharedTierMaker;
  readonly #epoch: string;
  readonly #opened: SharedTier[] = [];

  constructor(maker: SharedTierMaker) {
    casesOpened += 1;
    this.#maker = maker;
    // The process id, so that two runs over one tier do not meet.
    this.#epoch = `suite-${process.pid}-${casesOpened}`;
  }

  get clock(): Clock {
    return this.#maker.clock;
  }

  async open(options: Partial<SharedTierOptions> = {}): Promise<SharedTier> {
    const tier = await this.#maker.open({ epoch: this.#epoch, leaseMs: LONG_MS, ...options });
    this.#opened.push(tier);
    return tier;
  }

  async close(): Promise<void> {
    for (const tier of this.#opened) await tier.close();
  }

  pass(durationMs: number): Promise<void> {
    return this.#maker.pass(durationMs);
  }

  flush(): Promise<void> {
    return this.#maker.flush();
  }

  /** The other epoch of this case. */
  get otherEpoch(): string {
    return `${this.#epoch}-later`;
  }

  /** Waits for a message that is so. */
  async heard(messages: readonly BusMessage[], wanted: BusMessage): Promise<void> {
    for (let waits = 0; waits < MESSAGE_WAITS_MAX; waits += 1) {
      const found = messages.some((message) => JSON.stringify(message) === JSON.stringify(wanted));
      if (found) return;
      await this.pass(5);
    }
    assert.fail(`${JSON.stringify(wanted)} was not heard among ${JSON.stringify(messages)}`);
  }
}

export function sharedCase(
  maker: SharedTierMaker,
  name: string,
  body: (fixture: SharedFixture) => Promise<void>,
): SuiteCase {
  return {
    name,
    run: async () => {
      const fixture = new SharedFixture(maker);
      try {
        await body(fixture);
      } finally {
        await fixture.close();
      }
    },
  };
}

export function refOf(key: string, namespace = "acme/agent"): ItemRef {
  return { namespace, key };
}

export function recordOf(
  { namespace, key }: ItemRef,
  version: number,
  more: Partial<ItemRecord> = {},
): ItemRecord {
  return {
    namespace,
    key,
    version,
    metadata: {},
    tags: [],
    createdAtMs: 1_700_000_000_000,
    updatedAtMs: 1_700_000_000_001,
    expiresAtMs: undefined,
    deadlineMs: Number.POSITIVE_INFINITY,
    body: Buffer.from(`value ${version}`),
    ...more,
  };
}

/** What a record says: a tier may give one that makes its facts when it is asked for them. */
export function factsOf(record: ItemRecord): ItemRecord {
  const { namespace, key, version, metadata, tags, body } = record;
  const { createdAtMs, updatedAtMs, expiresAtMs, deadlineMs } = record;
  const times = { createdAtMs, updatedAtMs, expiresAtMs, deadlineMs };
  return { namespace, key, version, metadata, tags, ...times, body: Buffer.from(body) };
}

export function copyOf(ref: ItemRef, version: number, provenAt: number = version): SharedCopy {
  return { record: recordOf(ref, version), provenAt };
}

export function wanted(ref: ItemRef, minVersion = 0, minProvenAt = 0): LeaseRequest {
  return { ...ref, minVersion, minProvenAt };
}

/** The lease, or a failure. */
export async function leaseOf(tier: SharedTier, ref: ItemRef, minVersion = 0): Promise<LeaseToken> {
  const [lease] = await tier.lease([wanted(ref, minVersion)]);
  return lease ?? assert.fail("the lease was not granted");
}

/** Version of what may be read; undefined: nothing. */
export async function versionAt(tier: SharedTier, ref: ItemRef): Promise<number | undefined> {
  const [entry] = await tier.findMany([ref]);
  return entry?.record.version;
}

/** Fills as a reader does who missed; false where there was no lease or it did not live. */
export async function fillAt(tier: SharedTier, ref: ItemRef, version: number): Promise<boolean> {
  const [lease] = await tier.lease([wanted(ref)]);
  if (lease === undefined) return false;
  const [stored] = await tier.fill([{ ...copyOf(ref, version), lease }]);
  return stored === true;
}

export async function settleAt(
  tier: SharedTier,
  ref: ItemRef,
  version: number,
  copy?: SharedCopy,
): Promise<SettleOutcome | undefined> {
  const [outcome] = await tier.settle([{ ...ref, version, copy }]);
  return outcome;
}

export function putAt(
  tier: SharedTier,
  ref: ItemRef,
  more: Partial<EphemeralPut> = {},
): Promise<EphemeralResult> {
  return tier.putEphemeral({
    record: recordOf(ref, 0),
    ttlMs: LONG_MS,
    provenAt: 10,
    baseVersion: 0,
    condition: undefined,
    ...more,
  });
}

export function versionOf(result: EphemeralResult): number {
  if (result.status !== "written") assert.fail(`expected written, got ${result.status}`);
  return result.version;
}
