import assert from "node:assert/strict";
import type { BusMessage } from "../../tiers/shared.ts";
import type { SuiteCase } from "../suite.ts";
import {
  copyOf,
  factsOf,
  fillAt,
  leaseOf,
  recordOf,
  refOf,
  settleAt,
  sharedCase,
  versionAt,
} from "./fixture.ts";
import type { SharedTierMaker } from "./fixture.ts";

const LIFE_MS = 60_000;
const SHORT_MS = 40;

/** Copies: what is kept, what replaces what, how long it lives, who sees it. */
export function copyCases(maker: SharedTierMaker): SuiteCase[] {
  return [...keepingCases(maker), ...lifetimeCases(maker), ...scopeCases(maker)];
}

function keepingCases(maker: SharedTierMaker): SuiteCase[] {
  return [
    sharedCase(maker, "what was filled under a lease comes back as it was", async (f) => {
      const tier = await f.open();
      const ref = refOf("k\u0301:*[x]", "ünï/{tag}");
      const record = recordOf(ref, 7, { metadata: { a: [1, "é"] }, tags: ["x", "y"] });
      const lease = await leaseOf(tier, ref);
      assert.deepEqual(await tier.fill([{ record, provenAt: 12, lease }]), [true]);
      const [entry] = await tier.findMany([ref]);
      assert.deepEqual(entry && { ...entry, record: factsOf(entry.record) }, {
        kind: "copy",
        record,
        provenAt: 12,
        baseVersion: 0,
      });
    }),
    sharedCase(maker, "settling replaces what is older, and never fills a hole", async (f) => {
      const tier = await f.open();
      const ref = refOf("settled");
      assert.equal(await settleAt(tier, ref, 3, copyOf(ref, 3)), "marked");
      assert.equal(await versionAt(tier, ref), undefined);
      assert.equal(await settleAt(tier, ref, 4, copyOf(ref, 4)), "stored");
      assert.equal(await settleAt(tier, ref, 4), "older");
      assert.equal(await settleAt(tier, ref, 2), "older");
      assert.equal(await versionAt(tier, ref), 4);
      assert.equal(await settleAt(tier, ref, 5), "marked");
      assert.equal(await versionAt(tier, ref), undefined);
    }),
    sharedCase(
      maker,
      "a write under a lease leaves a marker: a lease knows no more than a hole",
      async (f) => {
        const tier = await f.open();
        const ref = refOf("leased");
        await leaseOf(tier, ref);
        assert.equal(await settleAt(tier, ref, 5, copyOf(ref, 5)), "marked");
      },
    ),
    sharedCase(maker, "many keys in one call keep their order", async (f) => {
      const tier = await f.open();
      const refs = Array.from({ length: 200 }, (_, index) => refOf(`many-${index}`));
      for (const [index, ref] of refs.entries())
        if (index % 2 === 1 && index < 20) await fillAt(tier, ref, index);
      const found = await tier.findMany(refs);
      assert.deepEqual(
        found.slice(0, 20).map((entry) => entry?.record.version),
        refs.slice(0, 20).map((_, index) => (index % 2 === 0 ? undefined : index)),
      );
      assert.equal(found.length, refs.length);
    }),
  ];
}

function lifetimeCases(maker: SharedTierMaker): SuiteCase[] {
  return [
    sharedCase(maker, "a lifetime counts from the grant of the lease", async (f) => {
      const tier = await f.open();
      const ref = refOf("timed");
      const lease = await leaseOf(tier, ref);
      const deadlineMs = f.clock.monotonicMs() + LIFE_MS;
      const record = recordOf(ref, 5, { expiresAtMs: f.clock.wallMs() + LIFE_MS, deadlineMs });
      assert.deepEqual(await tier.fill([{ record, provenAt: 1, lease }]), [true]);
      const [entry] = await tier.findMany([ref]);
      const found = entry?.record.deadlineMs ?? Number.NaN;
      assert.ok(found <= deadlineMs && found > deadlineMs - LIFE_MS / 2, `${found} ${deadlineMs}`);
    }),
    sharedCase(maker, "a copy ends with its lifetime", async (f) => {
      const tier = await f.open();
      const ref = refOf("short");
      const lease = await leaseOf(tier, ref);
      const deadlineMs = f.clock.monotonicMs() + SHORT_MS;
      const record = recordOf(ref, 5, { expiresAtMs: f.clock.wallMs() + SHORT_MS, deadlineMs });
      await tier.fill([{ record, provenAt: 1, lease }]);
      await f.pass(2 * SHORT_MS);
      assert.equal(await versionAt(tier, ref), undefined);
    }),
    sharedCase(
      maker,
      "an item whose lifetime is over when the fill arrives is not stored",
      async (f) => {
        const tier = await f.open();
        const ref = refOf("over");
        const lease = await leaseOf(tier, ref);
        const deadlineMs = f.clock.monotonicMs() - 1;
        const record = recordOf(ref, 5, { expiresAtMs: f.clock.wallMs(), deadlineMs });
        assert.deepEqual(await tier.fill([{ record, provenAt: 1, lease }]), [false]);
        assert.equal(await fillAt(tier, ref, 6), true);
      },
    ),
    sharedCase(maker, "a copy with a lifetime is never settled in, only marked", async (f) => {
      const tier = await f.open();
      const ref = refOf("timed-settle");
      await fillAt(tier, ref, 4);
      const deadlineMs = f.clock.monotonicMs() + LIFE_MS;
      const copy = { record: recordOf(ref, 5, { expiresAtMs: 1, deadlineMs }), provenAt: 5 };
      assert.equal(await settleAt(tier, ref, 5, copy), "marked");
    }),
  ];
}

function scopeCases(maker: SharedTierMaker): SuiteCase[] {
  return [
    sharedCase(
      maker,
      "all servers see one tier, and two epochs nothing of each other",
      async (f) => {
        const ref = refOf("apart");
        const one = await f.open();
        const other = await f.open();
        const later = await f.open({ epoch: f.otherEpoch });
        await fillAt(one, ref, 5);
        assert.equal(await versionAt(other, ref), 5);
        assert.equal(await versionAt(later, ref), undefined);
        assert.equal(await fillAt(later, ref, 6), true);
        one.useEpoch(f.otherEpoch);
        assert.equal(await versionAt(one, ref), 6);
      },
    ),
    sharedCase(maker, "what is settled and announced reaches the other servers", async (f) => {
      const sender = await f.open();
      const other = await f.open();
      const messages: BusMessage[] = [];
      other.onMessage((message) => messages.push(message));
      // Whoever listens may need a moment before anything is heard.
      const ready = { kind: "clear", namespace: "ready", below: false, version: 1 } as const;
      while (!messages.some(({ kind }) => kind === "clear")) {
        await sender.announce({ namespace: "ready", below: false, version: 1 });
        await f.pass(5);
      }
      await f.heard(messages, ready);
      await sender.settle([{ ...refOf("a"), version: 5, copy: undefined }]);
      await f.heard(messages, { kind: "change", ref: refOf("a"), version: 5 });
      await sender.announce(undefined);
      await f.heard(messages, { kind: "wake" });
    }),
  ];
}
