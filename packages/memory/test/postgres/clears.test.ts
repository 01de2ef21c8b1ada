import { expect, test } from "vitest";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import type { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import { SCHEMA } from "../support/databases.ts";
import {
  describeBoth,
  keysOf,
  put,
  searchOf,
  serverRig,
  untilBlocked,
  writeOne,
  writtenVersion,
} from "./support.ts";

async function present(authority: PostgresAuthority, namespace: string): Promise<string[]> {
  const found = await keysOf(authority, searchOf(namespace));
  const refs = found.map((key) => ({ namespace, key }));
  const read = await authority.getMany(refs);
  expect(read.every((record) => record !== undefined)).toBe(true);
  return found;
}

describeBoth("a clear", (late) => {
  test("hides what was there from every kind of read, and its sweep changes nothing", async () => {
    const { authority } = late.rig;
    const namespaces = ["c", "c/a", "c/a/b", "c-a", "c0"];
    for (const namespace of namespaces)
      await authority.write(
        ["1", "2", "3"].map((key) => put(key, { namespace, metadata: { m: 1 }, tags: ["t"] })),
      );
    await authority.clear("c", true);
    await writeOne(authority, put("new", { namespace: "c/a", metadata: { m: 1 }, tags: ["t"] }));
    const check = async (): Promise<void> => {
      expect(await authority.getMany([{ namespace: "c", key: "1" }])).toEqual([undefined]);
      expect(await present(authority, "c")).toEqual([]);
      expect(await present(authority, "c/a")).toEqual(["new"]);
      expect(await present(authority, "c/a/b")).toEqual([]);
      expect(await present(authority, "c-a")).toEqual(["1", "2", "3"]);
      expect(await present(authority, "c0")).toEqual(["1", "2", "3"]);
      for (const facts of [{ metadataFilter: { m: 1 } }, { tags: ["t"] }, { pattern: "*" }])
        expect(await keysOf(authority, searchOf("c", { below: true, ...facts }))).toEqual(["new"]);
      const page = await authority.exportPage({
        namespace: "c",
        below: true,
        after: undefined,
        limit: 9,
      });
      expect(page.map((record) => record.key)).toEqual(["new"]);
      const touched = await writeOne(authority, {
        kind: "touch",
        namespace: "c/a",
        key: "1",
        ttlSeconds: 9,
      });
      expect(touched.status).toBe("absent");
      const conditional = put("1", { namespace: "c", condition: "present" });
      expect(await writeOne(authority, conditional)).toEqual({
        status: "conflict",
        currentVersion: null,
      });
    };
    await check();
    // Swept in pieces of two rows: every state in between must look the same.
    for (let round = 0; round < 30; round += 1) {
      await authority.sweep(2);
      await check();
    }
    const [clears] = await late.rig.database.query({
      text: `SELECT count(*) AS count FROM ${SCHEMA}.namespace_clears`,
    });
    expect(clears?.["count"]).toBe(0);
    const [bodies] = await late.rig.database.query({
      text: `SELECT count(*) AS count FROM ${SCHEMA}.items
             WHERE (namespace = 'c' OR namespace LIKE 'c/%') AND body IS NOT NULL`,
    });
    expect(bodies?.["count"]).toBe(1);
  });

  test("of a namespace alone leaves those below, and does not undo one with below", async () => {
    const { authority } = late.rig;
    for (const namespace of ["p", "p/q"]) await writeOne(authority, put("k", { namespace }));
    await authority.clear("p", false);
    expect(await present(authority, "p/q")).toEqual(["k"]);
    await authority.clear("p", true);
    await authority.clear("p", false);
    expect(await present(authority, "p/q")).toEqual([]);
  });

  test("of the root takes everything, whatever the namespace is called", async () => {
    const { authority } = late.rig;
    const namespaces = ["", "\u0001", "-", "/".replace("/", "z"), "\u{10ffff}"];
    for (const namespace of namespaces) await writeOne(authority, put("k", { namespace }));
    await authority.clear("", true);
    for (let round = 0; round < 3; round += 1) {
      for (const namespace of namespaces) expect(await present(authority, namespace)).toEqual([]);
      for (let sweeps = 0; sweeps < 5; sweeps += 1) await authority.sweep(1000);
    }
  });

  test("a write after it is newer than the clear and counts as the first", async () => {
    const { authority } = late.rig;
    const old = await writeOne(authority, put("k", { namespace: "w" }));
    const { version } = await authority.clear("w", false);
    expect(version).toBeGreaterThan(writtenVersion(old));
    const result = await writeOne(authority, put("k", { namespace: "w", condition: "absent" }));
    expect(result).toMatchObject({ status: "written", existed: false });
    expect(writtenVersion(result)).toBeGreaterThan(version);
    if (result.status === "written") expect(result.createdAtMs).toBe(result.updatedAtMs);
  });
});

describeWithPostgres("a clear beside writers", () => {
  const late = serverRig();

  test("waits for a write under way, and a later write waits for it", async () => {
    const { rig } = late;
    const { authority } = rig;
    await writeOne(authority, put("old", { namespace: "race" }));
    const writer = await rig.connect();
    await writer.query("BEGIN");
    await writer.query(`SELECT ${SCHEMA}.begin_write()`);
    const clear = authority.clear("race", false);
    await untilBlocked(rig, 1);
    // Came after the clear: it must not touch what the clear is about to hide.
    const touch = writeOne(authority, {
      kind: "touch",
      namespace: "race",
      key: "old",
      ttlSeconds: undefined,
    });
    const again = writeOne(authority, put("new", { namespace: "race" }));
    await untilBlocked(rig, 3);
    await writer.query("COMMIT");
    const { version } = await clear;
    expect((await touch).status).toBe("absent");
    expect(writtenVersion(await again)).toBeGreaterThan(version);
    expect(await present(authority, "race")).toEqual(["new"]);
  });

  test("keeps nothing acknowledged before it and everything begun after it", async () => {
    const { rig } = late;
    const { authority } = rig;
    const namespace = "storm";
    let isClearing = true;
    let begun = 0;
    const before = new Set<string>();
    const writer = async (id: number): Promise<void> => {
      while (isClearing) {
        const key = `k${id}-${begun}`;
        begun += 1;
        await authority.write([put(key, { namespace }), put(`shared${id % 2}`, { namespace })]);
        before.add(key);
      }
    };
    const writers = Promise.all([0, 1, 2, 3].map(writer));
    for (let round = 0; round < 15; round += 1) {
      const acknowledged = [...before];
      await authority.clear(namespace, round % 2 === 0);
      const found = new Set(await present(authority, namespace));
      for (const key of acknowledged) expect(found.has(key), key).toBe(false);
      if (round % 3 === 0) await authority.sweep(50);
    }
    isClearing = false;
    await writers;
    await authority.clear(namespace, false);
    await authority.write(["a", "b"].map((key) => put(key, { namespace })));
    for (let round = 0; round < 30; round += 1) await authority.sweep(100);
    expect(await present(authority, namespace)).toEqual(["a", "b"]);
  });
});
