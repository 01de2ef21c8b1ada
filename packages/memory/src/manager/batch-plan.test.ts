import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Condition, WriteOperation, WriteResult } from "../tiers/authority.ts";
import { existedAt, foldKey, holdsIn } from "./batch-plan.ts";
import type { Foldable, Planned } from "./batch-plan.ts";

const REF = { namespace: "n", key: "k" };

/** One item, with the authority's rules: a condition is judged, a touch or remove needs an item. */
interface Item {
  readonly version: number;
  readonly body: number;
  readonly ttlSeconds: number | undefined;
}

function holds(item: Item | undefined, condition: Condition | undefined): boolean {
  if (condition === undefined) return true;
  if (condition === "absent") return item === undefined;
  return item !== undefined && (condition === "present" || condition === item.version);
}

interface Step {
  readonly item: Item | undefined;
  readonly result: WriteResult;
}

function carryOut(item: Item | undefined, write: WriteOperation, version: number): Step {
  if (!holds(item, write.condition))
    return { item, result: { status: "conflict", currentVersion: item?.version ?? null } };
  const existed = item !== undefined;
  const written: WriteResult = {
    status: "written",
    version,
    existed,
    createdAtMs: 0,
    updatedAtMs: 0,
    expiresAtMs: undefined,
    deadlineMs: Number.POSITIVE_INFINITY,
  };
  if (write.kind === "put")
    return {
      item: { version, body: write.body[0] ?? 0, ttlSeconds: write.ttlSeconds },
      result: written,
    };
  if (item === undefined) return { item, result: { status: "absent", version } };
  return write.kind === "remove"
    ? { item: undefined, result: written }
    : { item: { ...item, version, ttlSeconds: write.ttlSeconds }, result: written };
}

const condition = fc.constantFrom<Condition | undefined>(
  undefined,
  undefined,
  "absent",
  "present",
  3,
  4,
);
const ttlSeconds = fc.constantFrom(undefined, 5, 9);

function judged(judgedBy: Condition | undefined): { condition?: Condition } {
  return judgedBy === undefined ? {} : { condition: judgedBy };
}

function put(byte: number, ttl?: number, by?: Condition): Foldable {
  const body = new Uint8Array([byte]);
  return {
    write: { kind: "put", ...REF, body, metadata: {}, tags: [], ttlSeconds: ttl, ...judged(by) },
  };
}

const operation: fc.Arbitrary<Foldable> = fc.oneof(
  fc.constant<Foldable>({ write: undefined }),
  fc.tuple(fc.nat(9), ttlSeconds, condition).map(([byte, ttl, by]) => put(byte, ttl, by)),
  condition.map((by): Foldable => ({ write: { kind: "remove", ...REF, ...judged(by) } })),
  fc.tuple(ttlSeconds, condition).map(([ttl, by]): Foldable => ({
    write: { kind: "touch", ...REF, ttlSeconds: ttl, ...judged(by) },
  })),
);

const start = fc.constantFrom<Item | undefined>(undefined, { version: 3, body: 8, ttlSeconds: 1 });

/** What each operation reports: a read sees a body or nothing, a write did or did not take effect. */
function oneByOne(
  first: Item | undefined,
  operations: readonly Foldable[],
): { seen: unknown[]; item: Item | undefined } {
  let item = first;
  let version = 10;
  const seen = operations.map(({ write }) => {
    if (write === undefined) return item?.body ?? null;
    const existed = item !== undefined;
    const step = carryOut(item, write, (version += 1));
    item = step.item;
    return step.result.status === "conflict" ? "conflict" : existed;
  });
  return { seen, item };
}

function folded(
  first: Item | undefined,
  operations: readonly Foldable[],
): { seen: unknown[]; item: Item | undefined } {
  const seen: unknown[] = [];
  let item = first;
  let version = 10;
  for (const group of foldKey(
    operations.map((o, index) => ({ index, operation: o })),
    false,
  )) {
    const before = item;
    let result: WriteResult | undefined;
    if (group.write !== undefined) ({ item, result } = carryOut(item, group.write, (version += 1)));
    for (const planned of group.planned) {
      // What was not asked for cannot be answered.
      seen[planned.index] = report(planned, group.readsBefore ? before : undefined, result);
    }
  }
  return { seen, item };
}

function report(
  { operation: { write }, meets }: Planned<Foldable>,
  before: Item | undefined,
  result: WriteResult | undefined,
): unknown {
  if (write === undefined) {
    if (meets.kind === "written") return meets.put.body[0];
    return meets.kind === "removed" ? null : (before?.body ?? null);
  }
  const conflict =
    meets.kind === "before" ? result?.status === "conflict" : !holdsIn(meets, write.condition);
  return conflict ? "conflict" : existedAt(meets, result);
}

describe("foldKey", () => {
  test("folded operations answer and leave the item as one by one they would", () => {
    fc.assert(
      fc.property(start, fc.array(operation, { maxLength: 8 }), (first, operations) => {
        const single = oneByOne(first, operations);
        const joint = folded(first, operations);
        expect(joint.seen).toEqual(single.seen);
        expect(joint.item && { body: joint.item.body, ttlSeconds: joint.item.ttlSeconds }).toEqual(
          single.item && { body: single.item.body, ttlSeconds: single.item.ttlSeconds },
        );
      }),
      { numRuns: 2000 },
    );
  });

  test("a thousand unconditional writes of one key are one write", () => {
    const puts = Array.from({ length: 1000 }, (_, index) => ({
      index,
      operation: put(index % 256),
    }));
    expect(foldKey(puts, false)).toHaveLength(1);
  });

  test("an atomic batch needs one write a key, whatever its conditions", () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 8 }), (operations) => {
        expect(
          foldKey(
            operations.map((o, index) => ({ index, operation: o })),
            true,
          ),
        ).toHaveLength(1);
      }),
    );
  });
});
