import type { Memory } from "../../src/manager/memory.ts";

/** One operation to be interrupted. Keys are its own; `before` runs without faults. */
export interface Scenario {
  readonly name: string;
  /** Keys that the operation may change, with what they hold before and after it; undefined = absent. */
  readonly changes: { readonly [key: string]: readonly [before: unknown, after: unknown] };
  readonly prepare: (memory: Memory) => Promise<unknown>;
  readonly run: (memory: Memory) => Promise<unknown>;
  /** All keys change together or none does. */
  readonly atomic: boolean;
}

const nothing = async (): Promise<void> => {};

/** A value of one kind of writing after another; each scenario is run once for each I/O call in it. */
export const WRITES: readonly Scenario[] = [
  {
    name: "set a new item",
    changes: { k: [undefined, 1] },
    prepare: nothing,
    run: (m) => m.set("k", 1),
    atomic: true,
  },
  {
    name: "set over an item that is at hand",
    changes: { k: [1, 2] },
    prepare: async (m) => {
      await m.set("k", 1, { tierHint: "l0" });
      await m.get("k");
    },
    run: (m) => m.set("k", 2),
    atomic: true,
  },
  {
    name: "create only if absent",
    changes: { k: [undefined, 1] },
    prepare: nothing,
    run: (m) => m.compareAndSet("k", null, 1),
    atomic: true,
  },
  {
    name: "compare and set",
    changes: { k: [1, 2] },
    prepare: (m) => m.set("k", 1),
    run: async (m) => {
      // "any": at hand from the preparation, so that no read is interrupted instead of the write.
      const item = await m.getItem("k");
      return m.compareAndSet("k", item?.version ?? null, 2);
    },
    atomic: true,
  },
  {
    name: "set under an idempotency key",
    changes: { k: [1, 2] },
    prepare: (m) => m.set("k", 1),
    run: (m) => m.set("k", 2, { idempotencyKey: "request" }),
    atomic: true,
  },
  {
    name: "delete",
    changes: { k: [1, undefined] },
    prepare: (m) => m.set("k", 1, { tierHint: "l0" }),
    run: (m) => m.delete("k"),
    atomic: true,
  },
  {
    name: "touch",
    changes: { k: [1, 1] },
    prepare: (m) => m.set("k", 1),
    run: (m) => m.touch("k", { ttlSeconds: 5_000 }),
    atomic: true,
  },
  {
    name: "merge patch",
    changes: { k: [{ a: 1, b: 1 }, { a: 1 }] },
    prepare: (m) => m.set("k", { a: 1, b: 1 }),
    run: (m) => m.mergePatch("k", { b: null }),
    atomic: true,
  },
  {
    name: "update",
    changes: { k: [1, 2] },
    prepare: (m) => m.set("k", 1),
    run: (m) => m.update<number>("k", (current) => (current ?? 0) + 1),
    atomic: true,
  },
  {
    name: "get or set",
    changes: { k: [undefined, 5] },
    prepare: nothing,
    run: (m) => m.getOrSet("k", () => 5),
    atomic: true,
  },
  {
    name: "atomic batch",
    changes: { a: [1, undefined], b: [undefined, 2], c: [3, 4] },
    prepare: async (m) => {
      await m.set("a", 1);
      await m.set("c", 3, { tierHint: "l0" });
    },
    run: (m) =>
      m.batchOperations(
        [
          { type: "delete", key: "a" },
          { type: "set", key: "b", value: 2, ifVersion: null },
          { type: "set", key: "c", value: 4 },
        ],
        { atomic: true },
      ),
    atomic: true,
  },
  {
    name: "clear",
    changes: { a: [1, undefined], b: [2, undefined] },
    prepare: async (m) => {
      await m.set("a", 1, { tierHint: "l0" });
      await m.set("b", 2);
    },
    run: (m) => m.clear(),
    atomic: true,
  },
  {
    name: "forget",
    changes: { a: [1, undefined], b: [2, undefined] },
    prepare: async (m) => {
      await m.set("a", 1, { tierHint: "l0" });
      await m.set("b", 2);
    },
    run: (m) => m.forget({ pattern: "*" }),
    atomic: false,
  },
  {
    name: "import",
    changes: { a: [undefined, 1], b: [0, 2] },
    prepare: (m) => m.set("b", 0),
    run: (m) =>
      m.importItems([
        { key: "a", value: 1 },
        { key: "b", value: 2 },
      ]),
    atomic: true,
  },
];

/** Reads that must answer truly or fail; each expects these items. */
export const READ_ITEMS = { a: 1, b: { deep: [2] } } as const;

export const READS: readonly {
  readonly name: string;
  readonly run: (memory: Memory) => Promise<unknown>;
  readonly expected: unknown;
}[] = [
  { name: "get", run: (m) => m.get("a"), expected: 1 },
  { name: "get of an absent item", run: (m) => m.get("none"), expected: undefined },
  {
    name: "get latest",
    run: (m) => m.get("b", { consistency: "latest" }),
    expected: { deep: [2] },
  },
  { name: "exists", run: (m) => m.exists("none"), expected: false },
  {
    name: "getMany",
    run: (m) => m.getMany(["b", "none", "a"]),
    expected: [{ deep: [2] }, undefined, 1],
  },
  {
    name: "search",
    run: async (m) =>
      (await m.search({ pattern: "*" })).items.map((item) => [item.key, item.value]),
    expected: Object.entries(READ_ITEMS),
  },
  {
    name: "export",
    run: async (m) => {
      const lines: unknown[] = [];
      for await (const line of m.exportItems()) lines.push([line.key, line.value]);
      return lines;
    },
    expected: Object.entries(READ_ITEMS),
  },
];
