import assert from "node:assert/strict";
import { ODD_KEYS } from "../local-tier-suite/namespaces.ts";
import type { SuiteCase } from "../suite.ts";
import { authorityCase, bytes, expectWritten, sameBody } from "./fixture.ts";
import type { AuthorityMaker } from "./fixture.ts";

const METADATA = { text: "a", n: 1.5, yes: true, none: null, list: [1, "b"], deep: { c: {} } };

/** Putting, reading, removing and touching. */
export function writeCases(maker: AuthorityMaker): SuiteCase[] {
  return [
    authorityCase(maker, "it is a durable authority", async ({ authority }) => {
      assert.equal(authority.capabilities.role, "authority");
      assert.equal(authority.capabilities.durable, true);
      assert.equal(authority.health().status, "ready");
      await authority.refreshUsage();
      assert.ok(authority.usage().items >= 0);
    }),
    authorityCase(maker, "what was put is read back, whole", async (f) => {
      const body = Uint8Array.from({ length: 256 }, (_, index) => index);
      const result = await f.put("k", { body, metadata: METADATA, tags: ["b", "a"] });
      const record = await f.get("k");
      sameBody(record, body);
      assert.deepEqual(record?.metadata, METADATA);
      assert.deepEqual(record?.tags, ["b", "a"]);
      assert.equal(record?.namespace, f.namespace);
      assert.equal(record?.key, "k");
      assert.equal(record?.version, result.version);
      assert.equal(record?.createdAtMs, result.createdAtMs);
      assert.equal(record?.updatedAtMs, result.updatedAtMs);
      assert.equal(record?.expiresAtMs, undefined);
      assert.equal(record?.deadlineMs, Number.POSITIVE_INFINITY);
      assert.equal(result.existed, false);
    }),
    authorityCase(maker, "a put replaces the whole item", async (f) => {
      const before = await f.put("k", { metadata: { a: 1 }, tags: ["t"], ttlSeconds: 1000 });
      const after = await f.put("k", { body: bytes("new") });
      const record = await f.get("k");
      sameBody(record, bytes("new"));
      assert.deepEqual([record?.metadata, record?.tags, record?.expiresAtMs], [{}, [], undefined]);
      assert.equal(after.existed, true);
      assert.ok(after.version > before.version);
      assert.equal(after.createdAtMs, before.createdAtMs);
      assert.ok(after.updatedAtMs >= before.updatedAtMs);
    }),
    authorityCase(
      maker,
      "many are answered in the order asked, absences and repeats too",
      async (f) => {
        await f.put("a");
        await f.put("b");
        const asked = ["b", "absent", "a", "b"].map((key) => f.ref(key));
        const records = await f.authority.getMany(asked);
        assert.deepEqual(
          records.map((record) => record?.key),
          ["b", undefined, "a", "b"],
        );
        assert.deepEqual(await f.authority.getMany([]), []);
      },
    ),
    authorityCase(maker, "an empty body is a body", async (f) => {
      await f.put("k", { body: new Uint8Array(0) });
      sameBody(await f.get("k"), new Uint8Array(0));
    }),
    authorityCase(maker, "odd keys are ordinary", async (f) => {
      await f.authority.write(ODD_KEYS.map((key) => f.putOperation(key, { body: bytes(key) })));
      const records = await f.authority.getMany(ODD_KEYS.map((key) => f.ref(key)));
      for (const [index, key] of ODD_KEYS.entries()) sameBody(records[index], bytes(key));
      const removed = await f.authority.write(ODD_KEYS.map((key) => f.removeOperation(key)));
      assert.ok(removed.every((result) => result.status === "written"));
    }),
    authorityCase(maker, "odd metadata and tags are ordinary", async (f) => {
      const metadata = Object.fromEntries(ODD_KEYS.map((key) => [key, key]));
      const tags = ODD_KEYS.filter((key) => key.length <= 128);
      await f.put("k", { metadata, tags });
      const record = await f.get("k");
      assert.deepEqual(record?.metadata, metadata);
      assert.ok(Object.hasOwn(record?.metadata ?? {}, "__proto__"));
      assert.deepEqual(record?.tags, tags);
      assert.deepEqual(await f.keys({ tags }), ["k"]);
    }),
    authorityCase(maker, "a removed item is gone, and its next life is newer", async (f) => {
      const put = await f.put("k");
      const removed = expectWritten(await f.one(f.removeOperation("k")));
      assert.equal(removed.existed, true);
      assert.ok(removed.version > put.version);
      assert.equal(await f.get("k"), undefined);
      const again = await f.put("k");
      assert.equal(again.existed, false);
      assert.ok(again.version > removed.version);
      assert.ok(again.createdAtMs >= removed.createdAtMs);
    }),
    authorityCase(
      maker,
      "removing what is not there says so, above all versions before",
      async (f) => {
        const never = await f.one(f.removeOperation("k"));
        assert.equal(never.status, "absent");
        const put = await f.put("k");
        await f.one(f.removeOperation("k"));
        const twice = await f.one(f.removeOperation("k"));
        assert.ok(twice.status === "absent" && twice.version > put.version);
      },
    ),
    authorityCase(maker, "touch renews lifetime and version, and nothing else", async (f) => {
      const put = await f.put("k", { metadata: { a: 1 }, tags: ["t"], ttlSeconds: 500 });
      const touched = expectWritten(await f.one(f.touchOperation("k", 9000)));
      const record = await f.get("k");
      assert.ok(touched.version > put.version);
      assert.equal(record?.version, touched.version);
      assert.deepEqual([record?.metadata, record?.tags], [{ a: 1 }, ["t"]]);
      assert.ok((record?.expiresAtMs ?? 0) > (put.expiresAtMs ?? Infinity) + 8_000_000);
      await f.one(f.touchOperation("k"));
      assert.equal((await f.get("k"))?.expiresAtMs, undefined);
      assert.equal((await f.one(f.touchOperation("absent", 5))).status, "absent");
    }),
    authorityCase(maker, "a thousand operations of all kinds in one write", async (f) => {
      await f.authority.write(
        Array.from({ length: 500 }, (_, n) => f.putOperation(`old${n}`, { ttlSeconds: 900 })),
      );
      const operations = Array.from({ length: 1000 }, (_, n) => {
        if (n % 2 === 0) return f.putOperation(`new${n}`, { body: bytes(`${n}`) });
        const key = `old${(n - 1) / 2}`;
        return n % 4 === 1 ? f.removeOperation(key) : f.touchOperation(key);
      });
      const results = await f.authority.write(operations);
      assert.equal(results.length, 1000);
      assert.ok(results.every((result) => result.status === "written"));
      sameBody(await f.get("new998"), bytes("998"));
      assert.equal(await f.get("old0"), undefined);
      assert.equal((await f.get("old1"))?.expiresAtMs, undefined);
      assert.deepEqual(await f.authority.write([]), []);
    }),
    authorityCase(maker, "modify writes what was decided on the row as it is", async (f) => {
      const put = await f.put("k", { body: bytes("1") });
      const result = await f.authority.modify(f.ref("k"), (current) => {
        sameBody(current, bytes("1"));
        return f.putOperation("k", { body: bytes("2") });
      });
      assert.ok(result?.status === "written" && result.version > put.version);
      sameBody(await f.get("k"), bytes("2"));
      assert.equal(await f.authority.modify(f.ref("k"), () => undefined), undefined);
      await f.authority.modify(f.ref("new"), (current) => {
        assert.equal(current, undefined);
        return f.putOperation("new");
      });
      assert.ok((await f.get("new")) !== undefined);
    }),
    authorityCase(
      maker,
      "what modify's decision throws comes back and changes nothing",
      async (f) => {
        await f.put("k", { body: bytes("1") });
        const refusal = new Error("no");
        await assert.rejects(
          f.authority.modify(f.ref("k"), () => {
            throw refusal;
          }),
          (error: unknown) => error === refusal,
        );
        sameBody(await f.get("k"), bytes("1"));
      },
    ),
    authorityCase(maker, "concurrent modifies of one item lose nothing", async (f) => {
      await f.put("count", { body: bytes("0") });
      const add = (): Promise<unknown> =>
        f.authority.modify(f.ref("count"), (current) => {
          const count = Number(Buffer.from(current?.body ?? []).toString()) + 1;
          return f.putOperation("count", { body: bytes(String(count)) });
        });
      await Promise.all(Array.from({ length: 20 }, add));
      sameBody(await f.get("count"), bytes("20"));
    }),
  ];
}
