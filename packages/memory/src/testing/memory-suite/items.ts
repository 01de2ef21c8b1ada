import assert from "node:assert/strict";
import { VersionConflict } from "../../model/errors.ts";
import { expectCode } from "../expect-code.ts";
import { ODD_KEYS } from "../local-tier-suite/namespaces.ts";
import type { SuiteCase } from "../suite.ts";
import { isDeepFrozen, memoryCase, waitUntilGone } from "./fixture.ts";
import type { MemoryMaker } from "./fixture.ts";

const LATEST = { consistency: "latest" } as const;
const VERSION = /^[1-9][0-9]{0,15}$/;

/** Single items: set, get, delete, touch, conditions. */
export function itemCases(maker: MemoryMaker): SuiteCase[] {
  return [
    memoryCase(maker, "what was set is read, near and far", async ({ memory }) => {
      const receipt = await memory.set("k", { a: [1, "b", null] });
      assert.equal(receipt.key, "k");
      assert.match(receipt.version, VERSION);
      assert.ok(Object.values(receipt.tiers).includes("stored"));
      assert.deepEqual(await memory.get("k"), { a: [1, "b", null] });
      assert.deepEqual(await memory.get("k", LATEST), { a: [1, "b", null] });
      assert.equal(await memory.exists("k"), true);
    }),
    memoryCase(maker, "absent is undefined, false or NOT_FOUND", async ({ memory }) => {
      assert.equal(await memory.get("k"), undefined);
      assert.equal(await memory.getItem("k"), undefined);
      assert.equal(memory.peek("k"), undefined);
      assert.equal(await memory.exists("k"), false);
      assert.deepEqual(await memory.getMany(["k", "l"]), [undefined, undefined]);
      await expectCode("NOT_FOUND", () => memory.touch("k"));
      await expectCode("NOT_FOUND", () => memory.mergePatch("k", {}));
      assert.equal((await memory.delete("k")).existed, false);
    }),
    memoryCase(maker, "an item comes with all that is known of it", async ({ memory }) => {
      const { version } = await memory.set("k", "value", {
        metadata: { a: 1 },
        tags: ["y", "x", "y"],
        ttlSeconds: 3600,
      });
      const item = await memory.getItem("k");
      assert.ok(item !== undefined);
      assert.deepEqual([item.key, item.value, item.version], ["k", "value", version]);
      assert.deepEqual([item.metadata, item.tags], [{ a: 1 }, ["y", "x"]]);
      assert.equal(item.namespace, memory.path);
      assert.equal(item.sizeBytes, Buffer.byteLength('"value"'));
      assert.match(item.checksum, /^[0-9a-f]{8}$/);
      assert.ok(item.ttlSeconds !== undefined && item.ttlSeconds > 3000 && item.ttlSeconds <= 3600);
      for (const time of [item.createdAt, item.updatedAt, item.accessedAt, item.expiresAt])
        assert.match(time ?? "", /^\d{4}-\d\d-\d\dT.*Z$/);
      assert.ok(item.accessCount >= 1);
      assert.deepEqual((await memory.getItem("k", LATEST))?.checksum, item.checksum);
    }),
    memoryCase(maker, "what is handed out cannot be changed", async ({ memory }) => {
      const given = { list: [{ a: 1 }] };
      await memory.set("k", given, { metadata: { m: { n: 1 } }, tags: ["t"], tierHint: "l0" });
      given.list.push({ a: 2 });
      const first = given.list[0];
      if (first !== undefined) first.a = 3;
      for (let reads = 0; reads < 4; reads += 1) {
        assert.deepEqual(await memory.get("k"), { list: [{ a: 1 }] });
        assert.ok(isDeepFrozen(await memory.get("k")));
        assert.ok(isDeepFrozen(memory.peek("k")));
        assert.ok(isDeepFrozen(await memory.getItem("k")));
        assert.ok(isDeepFrozen(await memory.get("k", LATEST)));
      }
    }),
    memoryCase(maker, "peek gives what is at hand, and never what is gone", async ({ memory }) => {
      await memory.set("k", 1, { tierHint: "l0" });
      await memory.get("k");
      const peeked = memory.peek("k");
      assert.ok(peeked === undefined || peeked === 1);
      await memory.set("k", 2);
      assert.notEqual(memory.peek("k"), 1);
      await memory.delete("k");
      assert.equal(memory.peek("k"), undefined);
    }),
    memoryCase(maker, "set replaces the whole item", async ({ memory }) => {
      await memory.set("k", 1, { metadata: { a: 1 }, tags: ["t"], ttlSeconds: 500 });
      await memory.set("k", 2);
      const item = await memory.getItem("k");
      assert.deepEqual([item?.value, item?.metadata, item?.tags], [2, {}, []]);
      assert.equal(item?.expiresAt, undefined);
      assert.equal(item?.ttlSeconds, undefined);
    }),
    memoryCase(
      maker,
      "versions rise through set, touch, delete and set again",
      async ({ memory }) => {
        const versions: string[] = [];
        versions.push((await memory.set("k", 1)).version);
        versions.push((await memory.touch("k", { ttlSeconds: 500 })).version);
        versions.push((await memory.mergePatch("k", 2)).version);
        versions.push((await memory.delete("k")).version);
        versions.push((await memory.set("k", 3, { ifVersion: null })).version);
        const numbers = versions.map(Number);
        assert.deepEqual(
          numbers,
          [...new Set(numbers)].toSorted((a, b) => a - b),
        );
      },
    ),
    memoryCase(maker, "delete is seen at once, everywhere", async ({ memory }) => {
      await memory.set("k", 1, { tags: ["t"] });
      await memory.get("k");
      const receipt = await memory.delete("k");
      assert.equal(receipt.existed, true);
      assert.equal(await memory.get("k"), undefined);
      assert.equal(await memory.exists("k", LATEST), false);
      assert.deepEqual((await memory.search({ tags: ["t"] })).items, []);
      assert.deepEqual(await memory.getMany(["k"]), [undefined]);
    }),
    memoryCase(maker, "an item expires, and is absent to all from then on", async ({ memory }) => {
      await memory.set("k", 1, { ttlSeconds: 0.05 });
      await waitUntilGone(memory, "k");
      assert.equal(await memory.get("k"), undefined);
      assert.equal(memory.peek("k"), undefined);
      assert.equal((await memory.delete("k")).existed, false);
      await expectCode("NOT_FOUND", () => memory.touch("k"));
      await memory.set("k", 2, { ifVersion: null });
      assert.equal(await memory.get("k"), 2);
    }),
    memoryCase(maker, "touch gives a new life or takes the end away", async ({ memory }) => {
      await memory.set("k", 1, { ttlSeconds: 500, metadata: { a: 1 } });
      await memory.touch("k", { ttlSeconds: 5_000 });
      const longer = await memory.getItem("k");
      assert.ok((longer?.ttlSeconds ?? 0) > 4_000);
      assert.deepEqual([longer?.value, longer?.metadata], [1, { a: 1 }]);
      await memory.touch("k");
      assert.equal((await memory.getItem("k"))?.ttlSeconds, undefined);
    }),
    memoryCase(maker, "a condition that does not hold says what is there", async ({ memory }) => {
      const { version } = await memory.set("k", 1);
      const failures = [
        () => memory.set("k", 2, { ifVersion: null }),
        () => memory.set("k", 2, { ifVersion: String(Number(version) + 1) }),
        () => memory.compareAndSet("k", null, 2),
        () => memory.compareAndSet("k", "1", 2),
        () => memory.delete("k", { ifVersion: "1" }),
        () => memory.touch("k", { ifVersion: "1" }),
        () => memory.mergePatch("k", {}, { ifVersion: "1" }),
      ];
      for (const failing of failures) {
        const error = await expectCode("VERSION_CONFLICT", failing, failing.toString());
        assert.ok(error instanceof VersionConflict);
        assert.deepEqual(error.current, { version });
      }
      for (const ifVersion of ["*", version]) {
        const absent = await expectCode("VERSION_CONFLICT", () =>
          memory.set("absent", 1, { ifVersion }),
        );
        assert.ok(absent instanceof VersionConflict && absent.current === null);
      }
      assert.equal(await memory.get("k"), 1);
      assert.equal(await memory.exists("absent"), false);
    }),
    memoryCase(maker, "a condition that holds lets the write through", async ({ memory }) => {
      const created = await memory.compareAndSet("k", null, 1);
      const updated = await memory.compareAndSet("k", created.version, 2);
      const present = await memory.set("k", 3, { ifVersion: "*" });
      assert.ok(Number(present.version) > Number(updated.version));
      await memory.delete("k", { ifVersion: present.version });
      assert.equal(await memory.get("k"), undefined);
    }),
    memoryCase(maker, "a version that cannot be is refused", async ({ memory }) => {
      for (const ifVersion of ["", "x", "-1", "1.5", "01", "1e3", " 1", "99999999999999999"])
        await expectCode("INVALID_ARGUMENT", () => memory.set("k", 1, { ifVersion }), ifVersion);
      assert.equal(await memory.exists("k"), false);
    }),
    memoryCase(maker, "odd keys are ordinary", async ({ memory }) => {
      for (const key of ODD_KEYS) await memory.set(key, { key });
      assert.deepEqual(
        await memory.getMany(ODD_KEYS),
        ODD_KEYS.map((key) => ({ key })),
      );
      for (const key of ODD_KEYS) assert.equal((await memory.delete(key)).existed, true, key);
    }),
    memoryCase(maker, "an idempotency key stands for one request", async ({ memory }) => {
      const options = { idempotencyKey: "request-1" };
      const first = await memory.set("k", 1, options);
      await memory.set("k", 2);
      const repeated = await memory.set("k", 1, options);
      assert.equal(repeated.version, first.version);
      assert.equal(await memory.get("k"), 2);
      assert.equal(await memory.get("k", LATEST), 2);
      await expectCode("IDEMPOTENCY_MISMATCH", () => memory.set("k", 9, options));
      await expectCode("IDEMPOTENCY_MISMATCH", () => memory.delete("k", options));
      assert.equal(await memory.get("k", LATEST), 2);
    }),
  ];
}
