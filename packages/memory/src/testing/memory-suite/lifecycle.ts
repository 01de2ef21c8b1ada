import assert from "node:assert/strict";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { memoryCase, waitUntilGone } from "./fixture.ts";
import type { MemoryMaker } from "./fixture.ts";

/** Ephemeral items, figures and explanations. */
export function lifecycleCases(maker: MemoryMaker): SuiteCase[] {
  const cases = [
    memoryCase(maker, "an ephemeral item needs a lifetime or a place", async ({ memory }) => {
      await expectCode("INVALID_ARGUMENT", () => memory.set("k", 1, { durability: "ephemeral" }));
      assert.equal(await memory.exists("k"), false);
    }),
    memoryCase(maker, "an ephemeral item needs an authority for such items", async ({ memory }) => {
      const options = { durability: "ephemeral", ttlSeconds: 500 } as const;
      if (maker.ephemeral) await memory.set("k", 1, options);
      else await expectCode("EPHEMERAL_NEEDS_L2", () => memory.set("k", 1, options));
      assert.equal(await memory.exists("k"), maker.ephemeral);
    }),
    memoryCase(maker, "each tier says whether it is on, and why not", async ({ manager }) => {
      const tiers = manager.describeTiers();
      assert.deepEqual(
        tiers.map(({ tier }) => tier),
        ["l0", "l1", "l2", "l3", "l4"],
      );
      for (const { status, reason } of tiers)
        assert.ok(status === "ready" || (reason ?? "").length > 0, status);
      const stats = await manager.getStats();
      assert.equal(stats.status, "ready");
      assert.ok(stats.uptimeSeconds >= 0 && stats.maxStalenessMs > 0);
    }),
    memoryCase(maker, "explain says where an item is", async ({ memory }) => {
      const { version } = await memory.set("k", 1);
      await memory.get("k");
      const explanation = await memory.explain("k");
      assert.equal(explanation.key, "k");
      assert.equal(explanation.namespace, memory.path);
      const authority = explanation.tiers.find(({ tier }) => tier === "l3");
      assert.deepEqual([authority?.present, authority?.version], [true, version]);
      assert.ok(explanation.tiers.every(({ reason }) => reason.length > 0));
      const absent = await memory.explain("absent");
      assert.ok(absent.tiers.every(({ present }) => !present));
    }),
    memoryCase(maker, "optimize changes no item", async ({ memory, manager }) => {
      const { version } = await memory.set("k", 1);
      const report = await manager.optimize();
      assert.ok(report.swept >= 0);
      assert.equal((await memory.getItem("k"))?.version, version);
    }),
  ];
  return maker.ephemeral ? [...cases, ...ephemeralCases(maker)] : cases;
}

function ephemeralCases(maker: MemoryMaker): SuiteCase[] {
  const options = { durability: "ephemeral", ttlSeconds: 500 } as const;
  return [
    memoryCase(
      maker,
      "an ephemeral item is read, and never reaches the database",
      async ({ memory }) => {
        const receipt = await memory.set("k", { a: 1 }, options);
        assert.notEqual(receipt.tiers.l3, "stored");
        assert.deepEqual(await memory.get("k"), { a: 1 });
        assert.equal(await memory.exists("k"), true);
        assert.deepEqual((await memory.search({ pattern: "*" })).items, []);
        assert.equal((await memory.delete("k")).existed, true);
        assert.equal(await memory.get("k"), undefined);
      },
    ),
    memoryCase(maker, "an ephemeral item dies in time", async ({ memory }) => {
      await memory.set("k", 1, { durability: "ephemeral", ttlSeconds: 0.05 });
      await waitUntilGone(memory, "k");
      assert.equal(await memory.get("k"), undefined);
    }),
    memoryCase(maker, "an ephemeral set never hides a durable item", async ({ memory }) => {
      await memory.set("k", "durable");
      await expectCode("DURABILITY_CONFLICT", () => memory.set("k", "e", options));
      assert.equal(await memory.get("k"), "durable");
      await memory.delete("k");
      await memory.set("k", "e", options);
      await memory.set("k", "durable again");
      assert.equal(await memory.get("k"), "durable again");
      assert.equal(await memory.get("k", { consistency: "latest" }), "durable again");
    }),
    memoryCase(maker, "forget and clear take ephemeral items too", async ({ memory }) => {
      await memory.set("a1", 1, options);
      await memory.set("b1", 1, options);
      await memory.forget({ pattern: "a*" });
      assert.deepEqual(await memory.getMany(["a1", "b1"]), [undefined, 1]);
      await memory.clear();
      assert.deepEqual(await memory.getMany(["a1", "b1"]), [undefined, undefined]);
    }),
  ];
}
