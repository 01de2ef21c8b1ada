import assert from "node:assert/strict";
import { EPHEMERAL_VERSION_MIN } from "../../model/version.ts";
import type { SuiteCase } from "../suite.ts";
import {
  copyOf,
  fillAt,
  putAt,
  recordOf,
  refOf,
  settleAt,
  sharedCase,
  versionAt,
  versionOf,
  wanted,
} from "./fixture.ts";
import type { SharedTierMaker } from "./fixture.ts";

const SHORT_MS = 30;
const NOTHING = { status: "written", version: 0, existed: false };

/** Items whose authority the shared tier is. */
export function ephemeralCases(maker: SharedTierMaker): SuiteCase[] {
  return [...writingCases(maker), ...durableCases(maker)];
}

function writingCases(maker: SharedTierMaker): SuiteCase[] {
  return [
    sharedCase(maker, "versions rise with each write, above all durable ones", async (f) => {
      const tier = await f.open();
      const ref = refOf("rising");
      const versions: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        versions.push(versionOf(await putAt(tier, ref)));
        versions.push(versionOf(await tier.touchEphemeral(ref, undefined, undefined)));
        await tier.removeEphemeral(ref, undefined);
        await f.pass(1);
      }
      assert.deepEqual(
        versions,
        [...new Set(versions)].toSorted((a, b) => a - b),
      );
      assert.ok(versions.every((one) => one > EPHEMERAL_VERSION_MIN && Number.isSafeInteger(one)));
    }),
    sharedCase(
      maker,
      "conditions are judged against the ephemeral item that is there",
      async (f) => {
        const tier = await f.open();
        const ref = refOf("judged");
        const none = { status: "conflict", currentVersion: null };
        assert.deepEqual(await putAt(tier, ref, { condition: "present" }), none);
        const first = versionOf(await putAt(tier, ref, { condition: "absent" }));
        const is = (currentVersion: number): unknown => ({ status: "conflict", currentVersion });
        assert.deepEqual(await putAt(tier, ref, { condition: "absent" }), is(first));
        assert.deepEqual(await putAt(tier, ref, { condition: first - 1 }), is(first));
        const second = versionOf(await putAt(tier, ref, { condition: first }));
        assert.deepEqual(await tier.touchEphemeral(ref, 1000, first), is(second));
        const third = versionOf(await tier.touchEphemeral(ref, 1000, second));
        assert.deepEqual(await tier.removeEphemeral(ref, second), is(third));
        const removed = { status: "written", version: third, existed: true };
        assert.deepEqual(await tier.removeEphemeral(ref, third), removed);
        assert.deepEqual(await tier.removeEphemeral(ref, "present"), none);
      },
    ),
    sharedCase(
      maker,
      "removing and touching what is not there does nothing, to copies neither",
      async (f) => {
        const tier = await f.open();
        await fillAt(tier, refOf("copy"), 5);
        for (const key of ["hole", "copy"]) {
          assert.deepEqual(await tier.removeEphemeral(refOf(key), undefined), NOTHING);
          assert.deepEqual(await tier.touchEphemeral(refOf(key), 1, undefined), NOTHING);
        }
        assert.equal(await versionAt(tier, refOf("copy")), 5);
      },
    ),
    sharedCase(maker, "an item ends with its lifetime, which a touch renews", async (f) => {
      const tier = await f.open();
      await putAt(tier, refOf("short"), { ttlMs: SHORT_MS });
      await putAt(tier, refOf("touched"), { ttlMs: SHORT_MS * 100 });
      await tier.touchEphemeral(refOf("touched"), undefined, undefined);
      await f.pass(2 * SHORT_MS);
      assert.equal(await versionAt(tier, refOf("short")), undefined);
      const [lasting] = await tier.findMany([refOf("touched")]);
      assert.equal(lasting?.record.deadlineMs, Number.POSITIVE_INFINITY);
      await tier.touchEphemeral(refOf("touched"), SHORT_MS, undefined);
      await f.pass(2 * SHORT_MS);
      assert.equal(await versionAt(tier, refOf("touched")), undefined);
    }),
    sharedCase(maker, "removal by namespace takes ephemeral items alone", async (f) => {
      const tier = await f.open();
      const refs = [
        refOf("a", "users/1"),
        refOf("b", "users/1"),
        refOf("a", "users/1/x"),
        refOf("a", "users/10"),
      ];
      for (const ref of refs) await putAt(tier, ref);
      await fillAt(tier, refOf("copy", "users/1"), 5);
      const scope = { namespace: "users/1", below: false };
      assert.equal(await tier.removeEphemeralWhere(scope, ({ key }) => key === "a"), 1);
      assert.equal(await tier.removeEphemeralWhere({ ...scope, below: true }, () => true), 2);
      assert.equal(await versionAt(tier, refOf("copy", "users/1")), 5);
      assert.notEqual(await versionAt(tier, refOf("a", "users/10")), undefined);
    }),
  ];
}

function durableCases(maker: SharedTierMaker): SuiteCase[] {
  return [
    sharedCase(
      maker,
      "a durable change that the setter does not know of is in the way",
      async (f) => {
        const tier = await f.open();
        await settleAt(tier, refOf("marker"), 7);
        await fillAt(tier, refOf("copy"), 7);
        for (const ref of [refOf("marker"), refOf("copy")]) {
          const result = await putAt(tier, ref, { baseVersion: 6 });
          assert.deepEqual(result, { status: "durable", version: 7 });
          versionOf(await putAt(tier, ref, { baseVersion: 7 }));
        }
      },
    ),
    sharedCase(
      maker,
      "an item makes way for a newer durable change, and not for an old one",
      async (f) => {
        const tier = await f.open();
        const ref = refOf("makes-way");
        await putAt(tier, ref, { baseVersion: 7 });
        assert.equal(await settleAt(tier, ref, 7, copyOf(ref, 7)), "older");
        assert.equal((await tier.findMany([ref]))[0]?.kind, "ephemeral");
        assert.deepEqual(await tier.lease([wanted(ref, 7, 1000)]), [undefined]);
        assert.equal(await settleAt(tier, ref, 8, copyOf(ref, 8)), "stored");
        assert.equal(await versionAt(tier, ref), 8);
        await putAt(tier, ref, { baseVersion: 8, record: recordOf(ref, 0) });
        assert.notDeepEqual(await tier.lease([wanted(ref, 9)]), [undefined]);
      },
    ),
    sharedCase(
      maker,
      "proof is renewed for the version it is given for, and never taken back",
      async (f) => {
        const tier = await f.open();
        const ref = refOf("proven");
        const version = versionOf(await putAt(tier, ref, { provenAt: 10, baseVersion: 2 }));
        const proof = async (): Promise<unknown> => {
          const [entry] = await tier.findMany([ref]);
          return [entry?.provenAt, entry?.baseVersion];
        };
        await tier.proveEphemeral(ref, { version: version - 1, provenAt: 99, baseVersion: 99 });
        assert.deepEqual(await proof(), [10, 2]);
        await tier.proveEphemeral(ref, { version, provenAt: 20, baseVersion: 3 });
        assert.deepEqual(await proof(), [20, 3]);
        await tier.proveEphemeral(ref, { version, provenAt: 15, baseVersion: 1 });
        assert.deepEqual(await proof(), [20, 3]);
        assert.equal(await versionAt(tier, ref), version);
      },
    ),
  ];
}
