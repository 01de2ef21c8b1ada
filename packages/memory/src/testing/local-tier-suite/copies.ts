import assert from "node:assert/strict";
import type { SuiteCase } from "../suite.ts";
import { localCase } from "./fixture.ts";
import type { LocalRecord, LocalTierMaker } from "./fixture.ts";

/** Finding, replacing and counting. */
export function copyCases<R extends LocalRecord>(maker: LocalTierMaker<R>): SuiteCase[] {
  return [
    localCase(maker, "what was offered is found, whole", ({ tier, store }) => {
      const offered = store({ key: "k", namespace: "a/b", version: 7 });
      assert.deepEqual(tier.find("a/b", "k"), offered);
      assert.deepEqual(tier.inspect("a/b", "k"), offered);
    }),
    localCase(maker, "it is a copy in this process and answers at once", ({ tier }) => {
      assert.equal(tier.capabilities.role, "copy");
      assert.equal(tier.capabilities.synchronous, true);
      assert.equal(tier.capabilities.shared, false);
      assert.equal(tier.capabilities.durable, false);
      assert.equal(tier.health().status, "ready");
    }),
    localCase(maker, "find counts hits and misses, inspect neither", ({ tier, store, find }) => {
      store({ key: "k" });
      find("k");
      find("k");
      find("absent");
      tier.inspect("", "k");
      tier.inspect("", "absent");
      assert.equal(tier.usage().hits, 2);
      assert.equal(tier.usage().misses, 1);
    }),
    localCase(
      maker,
      "an older or equal version replaces nothing",
      ({ tier, record, store, find }) => {
        store({ key: "k", version: 5 });
        assert.equal(tier.offer(record({ key: "k", version: 5 })), "older");
        assert.equal(tier.offer(record({ key: "k", version: 4 })), "older");
        assert.equal(find("k"), 5);
        assert.equal(tier.usage().items, 1);
      },
    ),
    localCase(maker, "a newer version replaces the copy and its bytes", ({ tier, store, find }) => {
      store({ key: "k", version: 5, sizeBytes: 5_000 });
      const before = tier.usage().bytes;
      store({ key: "k", version: 6, sizeBytes: 10 });
      assert.equal(find("k"), 6);
      assert.equal(tier.usage().items, 1);
      assert.ok(tier.usage().bytes < before, "the bytes of the old copy are still counted");
    }),
    localCase(
      maker,
      "a newer version that does not fit never leaves the older one being served",
      ({ tier, record, store, find }) => {
        store({ key: "k", version: 5 });
        assert.equal(tier.offer(record({ key: "k", version: 6, sizeBytes: 50_000 })), "refused");
        assert.equal(find("k"), undefined);
        assert.equal(tier.usage().bytes, 0);
      },
      { maxBytes: 10_000 },
    ),
    localCase(maker, "drop takes only what is below the version", ({ tier, store, find }) => {
      store({ key: "k", version: 5 });
      assert.equal(tier.drop("", "k", 5), false);
      assert.equal(find("k"), 5);
      assert.equal(tier.drop("", "k", 6), true);
      assert.equal(find("k"), undefined);
      assert.equal(tier.drop("", "k", 6), false);
      store({ key: "k", version: 9 });
      assert.equal(tier.drop("", "k", Number.POSITIVE_INFINITY), true);
      assert.equal(tier.drop("", "other", Number.POSITIVE_INFINITY), false);
    }),
    localCase(maker, "flush takes everything", ({ tier, store, find }) => {
      for (let n = 0; n < 50; n += 1) store({ key: `k${n}`, namespace: n % 2 === 0 ? "" : "a" });
      tier.flush();
      assert.equal(find("k0"), undefined);
      assert.equal(find("k1", "a"), undefined);
      assert.deepEqual([tier.usage().items, tier.usage().bytes], [0, 0]);
      store({ key: "k0" });
      assert.equal(find("k0"), 1);
    }),
  ];
}
