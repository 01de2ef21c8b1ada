import assert from "node:assert/strict";
import { expectCode } from "../expect-code.ts";
import { wholeBelow, withSeed } from "../seeded-random.ts";
import type { SuiteCase } from "../suite.ts";
import { SIZE_BYTES, localCase } from "./fixture.ts";
import type { LocalRecord, LocalTierFixture, LocalTierMaker } from "./fixture.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

function withinBounds<R extends LocalRecord>({ tier }: LocalTierFixture<R>): void {
  const { bytes, items, maxBytes, maxItems } = tier.usage();
  assert.ok(bytes <= maxBytes, `${bytes} bytes, bound ${maxBytes}`);
  assert.ok(items <= maxItems, `${items} items, bound ${maxItems}`);
  assert.ok(items === 0 ? bytes === 0 : bytes > 0, `${items} items in ${bytes} bytes`);
}

/** Room: never more than allowed, always accounted for, and what happens at the edge. */
export function boundCases<R extends LocalRecord>(maker: LocalTierMaker<R>): SuiteCase[] {
  return [
    localCase(
      maker,
      "more items than allowed push others out, who are told of",
      (fixture) => {
        const demoted: string[] = [];
        fixture.tier.onDemotion((record) => demoted.push(record.key));
        for (let n = 0; n < 20; n += 1) {
          fixture.store({ key: `k${n}` });
          withinBounds(fixture);
        }
        assert.equal(fixture.tier.usage().items, 5);
        assert.equal(demoted.length, 15);
        assert.equal(fixture.tier.usage().evictions, 15);
        for (const key of demoted) assert.equal(fixture.find(key), undefined, key);
      },
      { maxItems: 5 },
    ),
    localCase(
      maker,
      "one item is the smallest bound",
      (fixture) => {
        fixture.store({ key: "a" });
        fixture.store({ key: "b" });
        assert.deepEqual([fixture.find("a"), fixture.find("b")], [undefined, 1]);
      },
      { maxItems: 1 },
    ),
    localCase(
      maker,
      "bytes are never above their bound, whatever the sizes",
      async (fixture) => {
        await withSeed(11, (random) => {
          for (let n = 0; n < 1_500; n += 1) {
            const facts = { key: `k${wholeBelow(random, 40)}`, version: n + 1 };
            fixture.tier.offer(fixture.record({ ...facts, sizeBytes: wholeBelow(random, 12_000) }));
            withinBounds(fixture);
          }
        });
      },
      { maxBytes: 10_000 },
    ),
    localCase(
      maker,
      "a record larger than the tier is refused and pushes nothing out",
      (fixture) => {
        fixture.store({ key: "small" });
        const large = fixture.record({ key: "large", sizeBytes: 20_000 });
        assert.equal(fixture.tier.offer(large), "refused");
        assert.equal(fixture.find("large"), undefined);
        assert.equal(fixture.find("small"), 1);
      },
      { maxBytes: 10_000 },
    ),
    localCase(maker, "replaced, dropped, flushed and expired are no demotions", (fixture) => {
      let demoted = 0;
      fixture.tier.onDemotion(() => {
        demoted += 1;
      });
      const { clock, store, tier } = fixture;
      store({ key: "k", version: 1 });
      store({ key: "k", version: 2 });
      tier.drop("", "k", Number.POSITIVE_INFINITY);
      store({ key: "k", version: 3, deadlineMs: clock.monotonicMs() + 1 });
      clock.jump(1);
      tier.find("", "k");
      tier.sweep(10);
      store({ key: "l", namespace: "a" });
      tier.dropNamespace("a", false);
      store({ key: "m" });
      tier.flush();
      assert.equal(demoted, 0);
      assert.equal(tier.usage().evictions, 0);
    }),
    ...SEEDS.map((seed) => accountingCase(maker, seed)),
    {
      name: "after close every call fails with CLOSED, and closing again is harmless",
      run: async () => closedCase(maker),
    },
  ];
}

/** Random operations beside a plain map: what is found is always the newest live offer. */
function accountingCase<R extends LocalRecord>(maker: LocalTierMaker<R>, seed: number): SuiteCase {
  return localCase(maker, `agrees with a map under random operations (seed ${seed})`, (fixture) =>
    withSeed(seed, (random) => {
      const { tier, clock, record } = fixture;
      const expected = new Map<string, { version: number; deadlineMs: number }>();
      const live = (key: string): number | undefined => {
        const entry = expected.get(key);
        return entry === undefined || entry.deadlineMs <= clock.monotonicMs()
          ? undefined
          : entry.version;
      };
      for (let version = 1; version <= 1_500; version += 1) {
        const key = `k${wholeBelow(random, 25)}`;
        const action = wholeBelow(random, 12);
        if (action < 6) {
          const deadlineMs =
            action === 0 ? clock.monotonicMs() + 1 + wholeBelow(random, 20) : Infinity;
          const sizeBytes = wholeBelow(random, 3 * SIZE_BYTES);
          tier.offer(record({ key, version, deadlineMs, sizeBytes }));
          expected.set(key, { version, deadlineMs });
        } else if (action === 6) {
          const below = wholeBelow(random, version);
          tier.drop("", key, below);
          if ((expected.get(key)?.version ?? Infinity) < below) expected.delete(key);
        } else if (action === 7) clock.jump(wholeBelow(random, 5));
        else if (action === 8) tier.sweep(wholeBelow(random, 5));
        else assert.equal(fixture.find(key), live(key), key);
        withinBounds(fixture);
      }
      for (let round = 0; round < 100; round += 1) tier.sweep(100);
      const alive = [...expected.keys()].filter((key) => live(key) !== undefined);
      assert.equal(tier.usage().items, alive.length);
      for (const key of alive) tier.drop("", key, Number.POSITIVE_INFINITY);
      assert.deepEqual([tier.usage().items, tier.usage().bytes], [0, 0]);
    }),
  );
}

async function closedCase<R extends LocalRecord>(maker: LocalTierMaker<R>): Promise<void> {
  let closed: LocalTierFixture<R> | undefined;
  await localCase(maker, "", (fixture) => {
    fixture.store({ key: "k" });
    closed = fixture;
  }).run();
  assert.ok(closed !== undefined);
  const { tier, record } = closed;
  await tier.close();
  assert.equal(tier.health().status, "closed");
  const calls: (() => unknown)[] = [
    () => tier.find("", "k"),
    () => tier.inspect("", "k"),
    () => tier.offer(record({ key: "k", version: 9 })),
    () => tier.drop("", "k", Number.POSITIVE_INFINITY),
    () => tier.dropNamespace("", true),
    () => tier.flush(),
    () => tier.sweep(1),
  ];
  for (const call of calls) await expectCode("CLOSED", call, call.toString());
}
