import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EvictionPolicyMaker } from "../../eviction/policy.ts";
import type { ItemRecord, JsonObject } from "../../model/item.ts";
import { isWithin } from "../../model/key.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ProcessTier } from "./process-tier.ts";

function record(facts: Partial<ItemRecord> & { readonly key: string }): ItemRecord {
  return {
    namespace: "",
    version: 1,
    metadata: {},
    tags: [],
    createdAtMs: 1,
    updatedAtMs: 2,
    expiresAtMs: undefined,
    deadlineMs: Infinity,
    body: new Uint8Array(100),
    ...facts,
  };
}

function open(maxBytes: number, maxItems = 1_000_000): { tier: ProcessTier; clock: ManualClock } {
  const clock = new ManualClock();
  return { tier: new ProcessTier({ maxBytes, maxItems, clock, eviction: "lru" }), clock };
}

/** The bookkeeping as the documentation gives it, worked out anew. */
function bytesOf(item: ItemRecord): number {
  const units = [...item.key].some((char) => char > "\u00ff") ? 2 : 1;
  const hasExtra = item.tags.length > 0 || Object.keys(item.metadata).length > 0;
  // Members of an object without its braces.
  const { metadata, tags } = item;
  const attributes = JSON.stringify({ metadata, tags }).slice(1, -1);
  const extra = hasExtra ? Buffer.byteLength(attributes) : 0;
  const blocks = Math.ceil((56 + item.key.length * units + extra + item.body.length) / 128);
  return blocks * 132 + 8 + 16 + 8 + 8;
}

/** An LRU of records in a plain list, the one to go first at the front. */
class Model {
  readonly #maxBytes: number;
  readonly #maxItems: number;
  readonly demoted: string[] = [];
  items: ItemRecord[] = [];
  expirations = 0;

  constructor(maxBytes: number, maxItems: number) {
    this.#maxBytes = maxBytes;
    this.#maxItems = maxItems;
  }

  bytes(items: readonly ItemRecord[]): number {
    const names = new Set(items.map(({ namespace }) => namespace));
    const ofNames = [...names].reduce((sum, name) => sum + 240 + name.length * 2, 0);
    return items.reduce((sum, item) => sum + bytesOf(item), ofNames);
  }

  find(namespace: string, key: string): ItemRecord | undefined {
    return this.items.find((item) => item.namespace === namespace && item.key === key);
  }

  without(dropped: ItemRecord): void {
    this.items = this.items.filter((item) => item !== dropped);
  }

  read(namespace: string, key: string, nowMs: number): ItemRecord | undefined {
    const item = this.find(namespace, key);
    if (item === undefined) return undefined;
    this.without(item);
    if (item.deadlineMs <= nowMs) {
      this.expirations += 1;
      return undefined;
    }
    this.items.push(item);
    return item;
  }

  offer(item: ItemRecord, nowMs: number): string {
    const present = this.find(item.namespace, item.key);
    if (present !== undefined) {
      const isLive = present.deadlineMs > nowMs;
      if (present.version > item.version || (present.version === item.version && isLive))
        return "older";
      this.without(present);
    }
    if (this.bytes([item]) > this.#maxBytes || item.deadlineMs <= nowMs) return "refused";
    while (
      this.items.length >= this.#maxItems ||
      this.bytes([...this.items, item]) > this.#maxBytes
    ) {
      const victim = this.items.shift();
      if (victim === undefined) throw new Error("the model is wrong");
      if (victim.deadlineMs <= nowMs) this.expirations += 1;
      else this.demoted.push(`${victim.namespace} ${victim.key} ${victim.version}`);
    }
    this.items.push(item);
    return "stored";
  }
}

const NAMESPACES = ["", "a", "a/b", "ab"];
const KEYS = ["k", "l", "m", "n", "\u00e9", "\u{1f352}", "long".repeat(60), "__proto__"];
const METADATA: readonly JsonObject[] = [
  {},
  {},
  { kind: "x" },
  { note: "\u20ac".repeat(60), deep: { a: [1] } },
];

const action = fc.record({
  kind: fc.constantFrom(
    "offer",
    "offer",
    "offer",
    "find",
    "find",
    "drop",
    "clear",
    "time",
    "sweep",
  ),
  namespace: fc.constantFrom(...NAMESPACES),
  key: fc.constantFrom(...KEYS),
  bytes: fc.oneof(fc.nat(200), fc.nat(3000)),
  back: fc.nat(3),
  lifetimeMs: fc.constantFrom(Infinity, Infinity, 5, 20),
  metadata: fc.constantFrom(...METADATA),
  tags: fc.constantFrom<readonly string[]>([], [], ["a", "b"]),
});

test("agrees with a plain LRU list in contents, victims, bytes and counters", () => {
  const bounds = fc.constantFrom(
    [8_000, 1000] as const,
    [40_000, 1000] as const,
    [40_000, 5] as const,
  );
  fc.assert(
    fc.property(
      bounds,
      fc.array(action, { maxLength: 250, size: "max" }),
      ([maxBytes, maxItems], actions) => {
        const { tier, clock } = open(maxBytes, maxItems);
        const model = new Model(maxBytes, maxItems);
        const demoted: string[] = [];
        tier.onDemotion((item) => demoted.push(`${item.namespace} ${item.key} ${item.version}`));
        for (const [step, { kind, namespace, key, ...facts }] of actions.entries()) {
          const nowMs = clock.monotonicMs();
          if (kind === "offer") {
            const version = Math.max(1, step + 1 - facts.back * 20);
            const body = Uint8Array.from({ length: facts.bytes }, (_, at) => (at * step) & 0xff);
            const { metadata, tags } = facts;
            const deadlineMs = nowMs + facts.lifetimeMs;
            const expiresAtMs = facts.lifetimeMs === Infinity ? undefined : 1000 + step;
            const item = record({
              namespace,
              key,
              version,
              body,
              metadata,
              tags,
              deadlineMs,
              expiresAtMs,
            });
            expect(tier.offer(item)).toBe(model.offer(item, nowMs));
          } else if (kind === "find")
            expect(tier.find(namespace, key)).toEqual(model.read(namespace, key, nowMs));
          else if (kind === "drop") {
            const present = model.find(namespace, key);
            const isBelow = present !== undefined && present.version < step - 10;
            if (isBelow) model.without(present);
            expect(tier.drop(namespace, key, step - 10)).toBe(isBelow);
          } else if (kind === "clear") {
            const below = facts.back > 1;
            const gone = model.items.filter((item) =>
              below ? isWithin(item.namespace, namespace) : item.namespace === namespace,
            );
            expect(tier.dropNamespace(namespace, below)).toBe(gone.length);
            for (const item of gone) model.without(item);
          } else if (kind === "time") clock.jump(facts.back);
          else {
            const dead = model.items.filter((item) => item.deadlineMs <= nowMs);
            expect(tier.sweep(Infinity)).toBe(dead.length);
            for (const item of dead) model.without(item);
            model.expirations += dead.length;
          }
          const usage = tier.usage();
          expect([usage.items, usage.bytes]).toEqual([
            model.items.length,
            model.bytes(model.items),
          ]);
          expect(usage.expirations).toBe(model.expirations);
          expect(demoted).toEqual(model.demoted);
        }
        for (const item of model.items)
          if (item.deadlineMs > clock.monotonicMs())
            expect(tier.inspect(item.namespace, item.key)).toEqual(item);
      },
    ),
    { numRuns: 150 },
  );
});

describe("ProcessTier", () => {
  test("what was found does not change when the memory is used again", () => {
    const { tier } = open(10_000);
    tier.offer(record({ key: "a", body: new Uint8Array(3000).fill(1) }));
    const found = tier.find("", "a");
    tier.drop("", "a", Infinity);
    tier.offer(record({ key: "b", body: new Uint8Array(3000).fill(2) }));
    expect(found?.body).toEqual(new Uint8Array(3000).fill(1));
  });

  test("metadata and tags come back frozen", () => {
    const { tier } = open(10_000);
    tier.offer(record({ key: "a", metadata: { list: [1] }, tags: ["t"] }));
    const found = tier.find("", "a");
    expect(Object.isFrozen(found?.metadata["list"]) && Object.isFrozen(found?.tags)).toBe(true);
  });

  test("a megabyte beside small items, in the place of many", () => {
    const { tier } = open(1_500_000);
    for (let n = 0; n < 2000; n += 1) tier.offer(record({ key: `k${n}` }));
    const body = Uint8Array.from({ length: 1_100_000 }, (_, at) => at % 251);
    expect(tier.offer(record({ key: "large", body }))).toBe("stored");
    expect(tier.find("", "large")?.body).toEqual(body);
    expect(tier.usage().evictions).toBeGreaterThan(500);
    expect(tier.find("", "k1999")).toBeDefined();
  });

  test("all of the memory can be used for any size after any other", () => {
    const { tier } = open(2_000_000);
    const fill = (bytes: number): number => {
      const body = new Uint8Array(bytes);
      const before = tier.usage().evictions;
      for (let n = 0; tier.usage().evictions - before < 50 || n < 20_000; n += 1)
        tier.offer(record({ key: `${bytes} ${n}`, body }));
      return tier.usage().bytes;
    };
    for (const bytes of [100, 5000, 300, 40_000, 100]) {
      const used = fill(bytes);
      expect(used).toBeLessThanOrEqual(2_000_000);
      expect(used).toBeGreaterThan(2_000_000 - bytes * 1.3 - 1000);
    }
  });

  test("a namespace dropped in one go gives its memory back step by step", () => {
    const { tier } = open(10_000_000);
    for (let n = 0; n < 5000; n += 1) tier.offer(record({ namespace: "a", key: `k${n}` }));
    tier.offer(record({ key: "other" }));
    expect(tier.dropNamespace("a", false)).toBe(5000);
    expect(tier.usage().items).toBe(1);
    expect(tier.find("a", "k1")).toBeUndefined();
    tier.offer(record({ namespace: "a", key: "k1", version: 1 }));
    expect(tier.find("a", "k1")?.version).toBe(1);
    expect(tier.find("a", "k2")).toBeUndefined();
    for (let round = 0; round < 100; round += 1) tier.sweep(100);
    for (let n = 0; n < 30_000; n += 1) tier.offer(record({ namespace: "b", key: `k${n}` }));
    expect(tier.usage().items).toBe(30_002);
    expect(tier.usage().evictions).toBe(0);
  });

  test("the memory of a dropped namespace is used before anything is pushed out", () => {
    const { tier } = open(1_000_000);
    for (let n = 0; n < 2000; n += 1) tier.offer(record({ namespace: "a", key: `k${n}` }));
    for (let n = 0; n < 20; n += 1) tier.offer(record({ key: `live${n}` }));
    tier.dropNamespace("a", false);
    tier.offer(record({ key: "large", body: new Uint8Array(900_000) }));
    expect(tier.usage().items).toBe(21);
    expect(tier.usage().evictions).toBe(0);
  });

  test("a sweep looks at a bounded number of items and goes on the next time", () => {
    const { tier, clock } = open(100_000_000);
    for (let n = 0; n < 50_000; n += 1) tier.offer(record({ key: `k${n}` }));
    tier.offer(record({ key: "dead", deadlineMs: 5 }));
    clock.jump(5);
    expect(tier.sweep(1)).toBe(0);
    let freed = 0;
    for (let round = 0; round < 60; round += 1) freed += tier.sweep(1);
    expect(freed).toBe(1);
    expect(tier.usage().expirations).toBe(1);
  });

  test("another policy joins by its maker and hears of everything", () => {
    const heard: string[] = [];
    const eviction: EvictionPolicyMaker = (slotsMax) => {
      const filled = new Set<number>();
      heard.push(`made for ${slotsMax}`);
      return {
        bytesPerSlot: 1,
        inserted: (slot, sizeBytes, keyHash) => {
          filled.add(slot);
          heard.push(`inserted ${sizeBytes > 100} ${keyHash > 0}`);
        },
        hit: () => heard.push("hit"),
        removed: (slot) => {
          filled.delete(slot);
          heard.push("removed");
        },
        victim: () => Math.max(-1, ...filled),
        clear: () => heard.push("clear"),
      };
    };
    const clock = new ManualClock();
    const tier = new ProcessTier({ maxBytes: 100_000, maxItems: 2, clock, eviction });
    for (const key of ["a", "b", "c"]) tier.offer(record({ key }));
    tier.find("", "a");
    tier.find("", "b");
    tier.flush();
    const stored = "inserted true true";
    expect(heard).toEqual(["made for 2", stored, stored, "removed", stored, "hit", "clear"]);
  });

  test("with no room at all everything is refused", () => {
    const { tier } = open(10);
    expect(tier.offer(record({ key: "a" }))).toBe("refused");
    expect(tier.find("", "a")).toBeUndefined();
    expect(tier.sweep(10)).toBe(0);
  });
});
