import type { SetOptions } from "../../src/manager/memory.ts";
import { MemoryError, VersionConflict } from "../../src/model/errors.ts";
import { MemoryTier } from "../../src/model/item.ts";
import type { ItemRef, JsonValue } from "../../src/model/item.ts";
import { isEphemeralVersion } from "../../src/manager/ephemeral-home.ts";
import type { Reading } from "./checker.ts";
import { COUNTED, anyKey, durableKey, fleetingKey } from "./keys.ts";
import { keyed } from "./operation.ts";
import type { Operation } from "./operation.ts";

/** What a write may fail with here, and what nobody can say then. */
export const MAY_FAIL: ReadonlySet<string> = new Set([
  "OUTCOME_UNKNOWN",
  "DEADLINE_EXCEEDED",
  "DURABILITY_CONFLICT",
  "EPHEMERAL_NEEDS_L2",
]);

/** A loader takes up to a third of the bound. */
const LOAD_MS_MAX = 130;

interface Failing {
  readonly reading: Reading;
  readonly ref: ItemRef;
  /** What was to be written. */
  readonly value?: JsonValue;
}

/** Judges what a failed write says; rethrows what may not be. */
function failed(op: Operation, error: unknown, { reading, ref, value }: Failing): void {
  if (!(error instanceof MemoryError)) throw error;
  op.trace(() => `${ref.namespace}:${ref.key}: ${error.code}`);
  if (error instanceof VersionConflict) {
    const current = error.current && Number(error.current.version);
    if (current === null || !isEphemeralVersion(current))
      op.checker.refusedBecause(reading, ref, current ?? undefined);
  } else if (error.code === "NOT_FOUND") op.checker.refusedBecause(reading, ref, undefined);
  else if (error.code !== "STORE_UNAVAILABLE" && !MAY_FAIL.has(error.code)) throw error;
  else if (error.code === "STORE_UNAVAILABLE" && value !== undefined)
    op.checker.unwritten(ref, value, reading.what);
}

function options(op: Operation): SetOptions {
  const chance = op.random();
  if (chance < 0.2) return { ttlSeconds: 0.05 + op.random() * 0.6 };
  if (chance < 0.3) return { tierHint: MemoryTier.L0_CPU_CACHE };
  if (chance < 0.4) return { tierHint: MemoryTier.L2_SHARED_MEMORY };
  return {};
}

export async function set(op: Operation): Promise<void> {
  const ref = anyKey(op);
  const value = op.value();
  const reading = op.begin(0);
  const given = options(op);
  op.trace(
    () => `set ${ref.namespace}:${ref.key} := ${JSON.stringify(value)} ${JSON.stringify(given)}`,
  );
  try {
    const { version } = await op.memory(ref.namespace).set(ref.key, value, given);
    op.trace(() => `set ${ref.namespace}:${ref.key} = v${version}`);
    op.checker.wrote(reading, ref, { version: Number(version), value });
  } catch (error) {
    failed(op, error, { reading, ref, value });
  }
}

export async function remove(op: Operation): Promise<void> {
  const ref = anyKey(op);
  const reading = op.begin(0);
  op.trace(() => `delete ${ref.namespace}:${ref.key}`);
  try {
    const { version, existed } = await op.memory(ref.namespace).delete(ref.key);
    op.trace(() => `deleted ${ref.namespace}:${ref.key} v${version} existed ${existed}`);
    op.checker.deleted(ref, reading.beganMs);
    if (isEphemeralVersion(Number(version))) return;
    if (existed) op.checker.wrote(reading, ref, { version: Number(version), value: undefined });
    else op.checker.read(reading, ref, { value: undefined });
  } catch (error) {
    failed(op, error, { reading, ref });
  }
}

export async function touch(op: Operation): Promise<void> {
  const ref = durableKey(op);
  const reading = op.begin(0);
  try {
    const ttlSeconds = op.random() < 0.5 ? 0.1 + op.random() : undefined;
    const given = ttlSeconds === undefined ? {} : { ttlSeconds };
    const { version } = await op.memory(ref.namespace).touch(ref.key, given);
    op.trace(() => `touched ${ref.namespace}:${ref.key} v${version}`);
    op.checker.touched(reading, ref, Number(version));
  } catch (error) {
    failed(op, error, { reading, ref });
  }
}

/** Writes over exactly the version that it has read. */
export async function compareAndSet(op: Operation): Promise<void> {
  const ref = durableKey(op);
  const memory = op.memory(ref.namespace);
  const found = await memory.getItem(ref.key, { consistency: "any" });
  const value = op.value();
  const reading = op.begin(0);
  const expected = found?.version ?? null;
  try {
    const { version } = await memory.compareAndSet(ref.key, expected, value);
    op.trace(() => `cas ${ref.namespace}:${ref.key} v${expected} -> v${version}`);
    op.checker.wrote(reading, ref, { version: Number(version), value });
    op.checker.replaced(reading, ref, { version: Number(version), expected });
  } catch (error) {
    failed(op, error, { reading, ref, value });
  }
}

export async function count(op: Operation): Promise<void> {
  const ref = op.pick(COUNTED);
  const reading = op.begin(0);
  let next = 0;
  const { counts } = op.checker;
  // If its server dies nobody will know of it.
  counts.begin(ref);
  try {
    const receipt = await op.memory(ref.namespace).update<number>(ref.key, (current) => {
      next = (current ?? 0) + 1;
      return next;
    });
    op.trace(() => `count ${ref.namespace}:${ref.key} = ${next} v${receipt?.version}`);
    counts.done(ref);
    op.checker.wrote(reading, ref, { version: Number(receipt?.version), value: next });
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    op.trace(() => `count ${ref.namespace}:${ref.key}: ${error.code}`);
    if (error.code === "OUTCOME_UNKNOWN") return;
    if (error.code !== "STORE_UNAVAILABLE" && !(error instanceof VersionConflict)) throw error;
    counts.undone(ref);
  }
}

export async function clear(op: Operation): Promise<void> {
  const namespace = op.pick(["a", "a/b", "e"]);
  const below = op.random() < 0.3;
  const reading = op.begin(0);
  op.trace(() => `clear ${namespace} below ${below}`);
  try {
    const { version } = await op.memory(namespace).clear({ below });
    op.trace(() => `cleared ${namespace}`);
    op.checker.cleared(reading, { namespace, below, version: Number(version) });
  } catch (error) {
    failed(op, error, { reading, ref: keyed(namespace, "") });
  }
}

export async function setEphemeral(op: Operation): Promise<void> {
  const ref = fleetingKey(op);
  const value = op.value();
  const reading = op.begin(0);
  const ttlSeconds = 0.1 + op.random() * 2;
  op.trace(
    () =>
      `set ephemeral ${ref.namespace}:${ref.key} := ${JSON.stringify(value)} for ${ttlSeconds} s`,
  );
  try {
    const memory = op.memory(ref.namespace);
    const { version } = await memory.set(ref.key, value, { durability: "ephemeral", ttlSeconds });
    op.trace(() => `set ephemeral ${ref.namespace}:${ref.key} v${version}`);
  } catch (error) {
    failed(op, error, { reading, ref });
  }
}

/** A loader that takes its time. */
export async function getOrSet(op: Operation): Promise<void> {
  const ref = durableKey(op);
  const loaded = op.value();
  const reading = op.begin();
  op.trace(() => `getOrSet ${ref.namespace}:${ref.key} loads ${JSON.stringify(loaded)}`);
  try {
    const value = await op.memory(ref.namespace).getOrSet<JsonValue>(ref.key, async () => {
      op.checker.loads.set(loaded, op.nowMs);
      await op.sleep(op.random() * LOAD_MS_MAX);
      return loaded;
    });
    op.trace(() => `getOrSet ${ref.namespace}:${ref.key} = ${JSON.stringify(value)}`);
    op.checker.loaded(reading, ref, value);
  } catch (error) {
    failed(op, error, { reading, ref, value: loaded });
  }
}
