import assert from "node:assert/strict";
import type { SharedTier } from "../../tiers/shared.ts";
import type { SuiteCase } from "../suite.ts";
import {
  copyOf,
  fillAt,
  leaseOf,
  putAt,
  refOf,
  settleAt,
  sharedCase,
  versionAt,
  wanted,
} from "./fixture.ts";
import type { SharedFixture, SharedTierMaker } from "./fixture.ts";

const SHORT_MS = 30;

/** Who may fill what is missing, and until when. */
export function leaseCases(maker: SharedTierMaker): SuiteCase[] {
  return [...grantCases(maker), ...endCases(maker)];
}

function grantCases(maker: SharedTierMaker): SuiteCase[] {
  return [
    sharedCase(maker, "only one of many readers gets the lease", async (f) => {
      const tiers = [await f.open(), await f.open(), await f.open()];
      const asked = tiers.flatMap((tier) =>
        Array.from({ length: 20 }, () => tier.lease([wanted(refOf("exclusive"))])),
      );
      const granted = (await Promise.all(asked)).flat().filter((lease) => lease !== undefined);
      assert.equal(granted.length, 1);
    }),
    sharedCase(maker, "a lease can be used once", async (f) => {
      const tier = await f.open();
      const ref = refOf("once");
      const lease = await leaseOf(tier, ref);
      assert.deepEqual(await tier.fill([{ ...copyOf(ref, 5), lease }]), [true]);
      assert.deepEqual(await tier.fill([{ ...copyOf(ref, 6), lease }]), [false]);
      assert.equal(await versionAt(tier, ref), 5);
    }),
    sharedCase(
      maker,
      "a copy makes way for a reader who knows better, and not for others",
      async (f) => {
        const tier = await f.open();
        const ref = refOf("known");
        assert.equal(await fillAt(tier, ref, 5), true);
        assert.deepEqual(await tier.lease([wanted(ref)]), [undefined]);
        assert.deepEqual(await tier.lease([wanted(ref, 5, 4)]), [undefined]);
        assert.notDeepEqual(await tier.lease([wanted(ref, 5, 5)]), [undefined]);
        assert.equal(await versionAt(tier, ref), undefined);
      },
    ),
    sharedCase(maker, "who knows of a newer version raises what another may fill in", async (f) => {
      const tier = await f.open();
      const ref = refOf("raised");
      const lease = await leaseOf(tier, ref);
      assert.deepEqual(await tier.lease([wanted(ref, 8)]), [undefined]);
      assert.deepEqual(await tier.fill([{ ...copyOf(ref, 7), lease }]), [false]);
      assert.equal(await versionAt(tier, ref), undefined);
    }),
  ];
}

const ENDS: readonly [string, (f: SharedFixture, tier: SharedTier) => Promise<unknown>][] = [
  ["a write", (_, tier) => settleAt(tier, refOf("dies"), 9, copyOf(refOf("dies"), 9))],
  ["a delete", (_, tier) => settleAt(tier, refOf("dies"), 9)],
  ["a flush", (f) => f.flush()],
  ["an ephemeral item", (_, tier) => putAt(tier, refOf("dies"))],
];

function endCases(maker: SharedTierMaker): SuiteCase[] {
  return [
    ...ENDS.map(([what, happens]) =>
      sharedCase(maker, `a lease dies with ${what}`, async (f) => {
        const tier = await f.open();
        const ref = refOf("dies");
        const lease = await leaseOf(tier, ref);
        await happens(f, tier);
        assert.deepEqual(await tier.fill([{ ...copyOf(ref, 5), lease }]), [false]);
        const [entry] = await tier.findMany([ref]);
        assert.notEqual(entry?.kind, "copy");
      }),
    ),
    sharedCase(
      maker,
      "a lease that was not used runs out, and the next reader gets one",
      async (f) => {
        const tier = await f.open({ leaseMs: SHORT_MS });
        const ref = refOf("late");
        const lease = await leaseOf(tier, ref);
        await f.pass(2 * SHORT_MS);
        await leaseOf(tier, ref);
        assert.deepEqual(await tier.fill([{ ...copyOf(ref, 5), lease }]), [false]);
      },
    ),
    sharedCase(maker, "a lease that was given back is the next reader's", async (f) => {
      const tier = await f.open();
      const ref = refOf("back");
      await settleAt(tier, ref, 4);
      const lease = await leaseOf(tier, ref);
      await tier.release([{ ...ref, lease }]);
      assert.deepEqual(await tier.fill([{ ...copyOf(ref, 5), lease }]), [false]);
      // What the marker said is still known.
      assert.equal(await fillAt(tier, ref, 3), false);
      assert.equal(await fillAt(tier, ref, 4), true);
    }),
    sharedCase(
      maker,
      "nothing older than a marker is filled in, also after a lease ran out",
      async (f) => {
        const tier = await f.open({ leaseMs: SHORT_MS });
        const ref = refOf("marked");
        assert.equal(await settleAt(tier, ref, 7), "marked");
        await leaseOf(tier, ref);
        await f.pass(2 * SHORT_MS);
        assert.equal(await fillAt(tier, ref, 6), false);
        await settleAt(tier, ref, 9);
        assert.equal(await fillAt(tier, ref, 8), false);
      },
    ),
  ];
}
