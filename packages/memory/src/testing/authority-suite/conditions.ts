import assert from "node:assert/strict";
import { BatchAborted } from "../../model/errors.ts";
import type { Condition } from "../../tiers/authority.ts";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { authorityCase, bytes, expectWritten, first, sameBody } from "./fixture.ts";
import type { AuthorityMaker } from "./fixture.ts";

/** Conditions, versions, expiry, atomic batches and repeatable writes. */
export function conditionCases(maker: AuthorityMaker): SuiteCase[] {
  return [
    authorityCase(maker, "a condition is judged against the live item", async (f) => {
      const { version } = await f.put("live");
      await f.put("dead");
      await f.one(f.removeOperation("dead"));
      const table: [string, Condition, number | null | "holds"][] = [
        ["live", "absent", version],
        ["live", version - 1, version],
        ["live", version + 1, version],
        ["dead", "present", null],
        ["dead", version, null],
        ["never", "present", null],
        ["never", 1, null],
      ];
      for (const [key, condition, current] of table) {
        const operations = [
          f.putOperation(key, { body: bytes("x"), condition }),
          f.removeOperation(key, condition),
          f.touchOperation(key, 5, condition),
        ];
        for (const operation of operations) {
          // Touching or removing what must be absent needs no judgement: there is nothing to do.
          if (condition === "absent" && operation.kind !== "put") continue;
          const result = await f.one(operation);
          const what = `${operation.kind} ${key} if ${condition}: ${JSON.stringify(result)}`;
          assert.equal(result.status, "conflict", what);
          if (result.status === "conflict") assert.equal(result.currentVersion, current, what);
        }
      }
      assert.equal((await f.get("live"))?.version, version);
      assert.equal(await f.get("never"), undefined);
    }),
    authorityCase(maker, "a condition that holds lets the write through", async (f) => {
      const created = expectWritten(await f.one(f.putOperation("k", { condition: "absent" })));
      const present = expectWritten(await f.one(f.putOperation("k", { condition: "present" })));
      assert.ok(present.version > created.version);
      const exact = await f.put("k", { condition: present.version });
      const touched = expectWritten(await f.one(f.touchOperation("k", 500, exact.version)));
      expectWritten(await f.one(f.removeOperation("k", touched.version)));
      expectWritten(await f.one(f.putOperation("k", { condition: "absent" })));
    }),
    authorityCase(maker, "of 50 concurrent creations exactly one wins", async (f) => {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          f.one(f.putOperation("k", { body: bytes(`${n}`), condition: "absent" })),
        ),
      );
      const winners = results.filter((result) => result.status === "written");
      assert.equal(winners.length, 1);
      sameBody(await f.get("k"), bytes(String(results.findIndex((r) => r.status === "written"))));
    }),
    authorityCase(maker, "versions of one key only rise, also in concurrent batches", async (f) => {
      const start = await f.authority.changePosition();
      const versions: number[] = [];
      const write = async (from: number): Promise<void> => {
        const keys = ["a", "b", "c", "d"];
        const turned = [...keys.slice(from), ...keys.slice(0, from)];
        const results = await f.authority.write(turned.map((key) => f.putOperation(key)));
        for (const result of results) versions.push(expectWritten(result).version);
      };
      await Promise.all(Array.from({ length: 24 }, (_, n) => write(n % 4)));
      assert.equal(versions.length, 96);
      const changes = await f.changesFrom(start, versions.length);
      assert.equal(changes.length, versions.length, "changes in the log");
      const lastOf = new Map<string, number>();
      for (const { key, version } of changes) {
        assert.ok(version > (lastOf.get(key) ?? 0), `${key} went back to ${version}`);
        lastOf.set(key, version);
      }
      for (const key of ["a", "b", "c", "d"])
        assert.equal((await f.get(key))?.version, lastOf.get(key), `the last of ${key}`);
    }),
    authorityCase(maker, "an expired item is absent to everything", async (f) => {
      const put = await f.put("k", { ttlSeconds: 0.001, metadata: { a: 1 }, tags: ["t"] });
      await f.waitUntilGone("k");
      assert.equal((await f.one(f.touchOperation("k", 50))).status, "absent");
      assert.equal((await f.one(f.putOperation("k", { condition: "present" }))).status, "conflict");
      assert.deepEqual(await f.keys(), []);
      assert.deepEqual(await f.keys({ tags: ["t"] }), []);
      assert.deepEqual(await f.keys({ metadataFilter: { a: 1 } }), []);
      assert.equal((await f.one(f.removeOperation("k"))).status, "absent");
      const again = expectWritten(await f.one(f.putOperation("k", { condition: "absent" })));
      assert.equal(again.existed, false);
      assert.ok(again.version > put.version);
    }),
    authorityCase(maker, "a kept expiry wins over a lifetime", async (f) => {
      const atMs = Math.floor((await f.put("now")).updatedAtMs) + 3_600_000;
      const put = await f.put("k", { expiresAtMs: atMs });
      assert.equal(put.expiresAtMs, atMs);
      assert.equal((await f.get("k"))?.expiresAtMs, atMs);
      await f.put("past", { expiresAtMs: atMs - 7_200_000 });
      assert.equal(await f.get("past"), undefined);
    }),
    authorityCase(maker, "an atomic write with one failed condition changes nothing", async (f) => {
      const { version } = await f.put("old", { body: bytes("old") });
      const error = await expectCode("BATCH_ABORTED", () =>
        f.authority.write(
          [
            f.putOperation("new"),
            f.putOperation("old", { body: bytes("changed"), condition: version }),
            f.putOperation("other", { condition: "present" }),
          ],
          { atomic: true },
        ),
      );
      assert.ok(error instanceof BatchAborted);
      assert.equal(error.index, 2);
      assert.equal(await f.get("new"), undefined);
      sameBody(await f.get("old"), bytes("old"));
      const mixed = await f.authority.write([
        f.putOperation("new"),
        f.putOperation("other", { condition: "present" }),
      ]);
      assert.deepEqual(
        mixed.map((result) => result.status),
        ["written", "conflict"],
      );
      assert.ok((await f.get("new")) !== undefined);
    }),
    authorityCase(maker, "a repeated write gives the first receipt and writes once", async (f) => {
      const idempotency = { namespace: f.namespace, id: "request-1", requestHash: "h1" };
      const operation = f.putOperation("k", { body: bytes("1") });
      const once = expectWritten(first(await f.authority.write([operation], { idempotency })));
      await f.put("k", { body: bytes("later") });
      const again = expectWritten(first(await f.authority.write([operation], { idempotency })));
      assert.equal(again.version, once.version);
      sameBody(await f.get("k"), bytes("later"));
      await expectCode("IDEMPOTENCY_MISMATCH", () =>
        f.authority.write([operation], { idempotency: { ...idempotency, requestHash: "h2" } }),
      );
      const elsewhere = { ...idempotency, namespace: `${f.namespace}/other` };
      expectWritten(first(await f.authority.write([operation], { idempotency: elsewhere })));
      sameBody(await f.get("k"), bytes("1"));
    }),
    authorityCase(maker, "twenty concurrent repeats write once", async (f) => {
      const start = await f.authority.changePosition();
      const idempotency = { namespace: f.namespace, id: "request-2", requestHash: "h" };
      const results = await Promise.all(
        Array.from({ length: 20 }, () => f.authority.write([f.putOperation("k")], { idempotency })),
      );
      const versions = new Set(results.map((list) => expectWritten(first(list)).version));
      assert.equal(versions.size, 1);
      assert.equal((await f.changesFrom(start, 1)).length, 1);
    }),
  ];
}
