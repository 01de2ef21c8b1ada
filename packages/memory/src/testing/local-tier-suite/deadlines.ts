import assert from "node:assert/strict";
import type { SuiteCase } from "../suite.ts";
import { localCase } from "./fixture.ts";
import type { LocalRecord, LocalTierMaker } from "./fixture.ts";

/** Expiry: exact, by the monotonic clock, freed by sweep. */
export function deadlineCases<R extends LocalRecord>(maker: LocalTierMaker<R>): SuiteCase[] {
  return [
    localCase(maker, "a copy dies at its instant", ({ tier, clock, store, find }) => {
      store({ key: "k", deadlineMs: clock.monotonicMs() + 100 });
      clock.jump(99.5);
      assert.equal(find("k"), 1);
      clock.jump(0.5);
      assert.equal(find("k"), undefined);
      assert.equal(tier.inspect("", "k"), undefined);
    }),
    localCase(maker, "the wall clock decides nothing", ({ clock, store, find }) => {
      store({ key: "k", deadlineMs: clock.monotonicMs() + 100 });
      clock.skewWall(3_600_000);
      assert.equal(find("k"), 1);
      clock.skewWall(-7_200_000);
      clock.jump(100);
      assert.equal(find("k"), undefined);
    }),
    localCase(maker, "a dead copy is a miss, not a hit", ({ tier, clock, store, find }) => {
      store({ key: "k", deadlineMs: clock.monotonicMs() + 1 });
      clock.jump(1);
      find("k");
      assert.deepEqual([tier.usage().hits, tier.usage().misses], [0, 1]);
    }),
    localCase(
      maker,
      "a copy offered after its deadline is not served",
      ({ tier, clock, record, find }) => {
        tier.offer(record({ key: "k", deadlineMs: clock.monotonicMs() }));
        assert.equal(find("k"), undefined);
      },
    ),
    localCase(maker, "a newer version takes the place of a dead one", ({ clock, store, find }) => {
      store({ key: "k", version: 1, deadlineMs: clock.monotonicMs() + 1 });
      clock.jump(5);
      store({ key: "k", version: 2 });
      assert.equal(find("k"), 2);
      clock.jump(1_000_000);
      assert.equal(find("k"), 2);
    }),
    localCase(maker, "a newer version carries its own deadline", ({ clock, store, find }) => {
      store({ key: "k", version: 1 });
      store({ key: "k", version: 2, deadlineMs: clock.monotonicMs() + 10 });
      clock.jump(10);
      assert.equal(find("k"), undefined);
    }),
    localCase(
      maker,
      "sweep frees dead copies, at most as many as asked",
      ({ tier, clock, store, find }) => {
        for (let n = 0; n < 10; n += 1)
          store({ key: `dead${n}`, deadlineMs: clock.monotonicMs() + 1 });
        store({ key: "alive" });
        clock.jump(1);
        assert.ok(tier.sweep(4) <= 4);
        for (let round = 0; round < 20; round += 1) tier.sweep(4);
        assert.equal(tier.usage().items, 1);
        assert.equal(tier.usage().expirations, 10);
        assert.equal(find("alive"), 1);
        tier.drop("", "alive", Number.POSITIVE_INFINITY);
        assert.equal(tier.usage().bytes, 0);
      },
    ),
    localCase(maker, "sweep finds the dead among many living", ({ tier, clock, store }) => {
      for (let n = 0; n < 2_000; n += 1) store({ key: `alive${n}` });
      for (let n = 0; n < 20; n += 1)
        store({ key: `dead${n}`, deadlineMs: clock.monotonicMs() + 1 });
      clock.jump(1);
      for (let round = 0; round < 300; round += 1) tier.sweep(100);
      assert.equal(tier.usage().items, 2_000);
    }),
  ];
}
