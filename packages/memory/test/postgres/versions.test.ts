import { expect, test } from "vitest";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import type { Change } from "../../src/tiers/authority.ts";
import type { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import { SCHEMA } from "../support/databases.ts";
import { describeBoth, put, serverRig, untilBlocked, writeOne, writtenVersion } from "./support.ts";
import type { ServerRig } from "./support.ts";

const WRITERS = 16;
const ROUNDS = 12;
const KEYS = Array.from({ length: 24 }, (_, n) => `k${n}`);

/** By the log's order, which within one key is the order of commits. */
async function expectRising(authority: PostgresAuthority, namespace: string): Promise<number> {
  const changes: Change[] = [];
  for (let after = 0; ;) {
    const page = await authority.readChanges({ namespace, below: false, after, limit: 1000 });
    if (page.changes.length === 0) break;
    changes.push(...page.changes);
    after = page.position;
  }
  const newest = new Map<string, number>();
  for (const { key, version, op } of changes) {
    expect(version, `${op} ${key}`).toBeGreaterThan(newest.get(key) ?? 0);
    newest.set(key, version);
  }
  return changes.length;
}

describeBoth("versions", (late) => {
  test("rise per key under 16 writers whose batches overlap in opposite orders", async () => {
    const { authority } = late.rig;
    const versions = new Map<string, Set<number>>(KEYS.map((key) => [key, new Set()]));
    let writes = 0;
    const writer = async (id: number): Promise<void> => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const keys = KEYS.filter((_, n) => (n + id + round) % 3 !== 0);
        const ordered = id % 2 === 0 ? keys : keys.toReversed();
        const results = await authority.write(
          ordered.map((key, n) =>
            (n + round) % 5 === 4
              ? { kind: "remove" as const, namespace: "rise", key }
              : put(key, { namespace: "rise" }),
          ),
        );
        for (const [n, result] of results.entries()) {
          if (result.status !== "written") continue;
          writes += 1;
          const seen = versions.get(ordered[n] ?? "");
          expect(seen?.has(result.version), "a version was used twice").toBe(false);
          seen?.add(result.version);
        }
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, id) => writer(id)));
    expect(await expectRising(authority, "rise")).toBe(writes);
    const records = await authority.getMany(KEYS.map((key) => ({ namespace: "rise", key })));
    for (const [n, record] of records.entries())
      if (record !== undefined)
        expect(record.version).toBe(Math.max(...(versions.get(KEYS[n] ?? "") ?? [])));
  });

  test("rise over deletion, expiry, clear and purge", async () => {
    const { authority, database } = late.rig;
    const namespace = "lives";
    const ref = { namespace, key: "k" };
    let last = 0;
    const next = async (facts: object = {}): Promise<void> => {
      const version = writtenVersion(await writeOne(authority, put("k", { namespace, ...facts })));
      expect(version).toBeGreaterThan(last);
      last = version;
    };
    await next();
    last = writtenVersion(await writeOne(authority, { kind: "remove", ...ref }));
    await next();
    await next({ expiresAtMs: 1 });
    await authority.sweep(1000);
    const { changes } = await authority.readChanges({
      namespace,
      below: false,
      after: 0,
      limit: 9,
    });
    expect(changes.at(-1)).toMatchObject({ op: "expire", key: "k" });
    last = changes.at(-1)?.version ?? 0;
    await next();
    const cleared = await authority.clear(namespace, false);
    expect(cleared.version).toBeGreaterThan(last);
    expect(await authority.getMany([ref])).toEqual([undefined]);
    last = cleared.version;
    await next();
    await writeOne(authority, { kind: "remove", ...ref });
    await database.write({
      text: `UPDATE ${SCHEMA}.items SET deleted_at = now() - interval '1 day' WHERE key = 'k'`,
    });
    const gone = await writeOne(authority, { kind: "remove", ...ref });
    expect(gone.status).toBe("absent");
    last = gone.status === "absent" ? gone.version : 0;
    let purged = 0;
    for (let round = 0; round < 3; round += 1)
      purged += (await authority.sweep(1000)).purgedTombstones;
    expect(purged).toBe(1);
    await next();
    await expectRising(authority, namespace);
  });
});

/** Opens a transaction that has drawn its number for an absent key but not yet inserted it. */
const STALLED_PUT = `
  WITH draw AS MATERIALIZED (SELECT nextval('${SCHEMA}.versions') AS version),
       wait AS MATERIALIZED (SELECT version, pg_advisory_xact_lock(4711) FROM draw)
  INSERT INTO ${SCHEMA}.items (namespace, key, version, created_at, updated_at, body)
  SELECT 'purge', 'k', version, now(), now(), '' FROM wait
  ON CONFLICT (namespace, key) DO UPDATE
    SET version = greatest(items.version + 1, nextval('${SCHEMA}.versions')), deleted_at = NULL
  RETURNING version`;

async function ageTombstones(rig: ServerRig): Promise<void> {
  await rig.database.write({
    text: `UPDATE ${SCHEMA}.items SET deleted_at = now() - interval '1 day' WHERE deleted_at IS NOT NULL`,
  });
}

describeWithPostgres("a purge beside writers", () => {
  const late = serverRig();

  test("waits for a writer that drew its number before the tombstone's", async () => {
    const { rig } = late;
    const { authority } = rig;
    await writeOne(authority, put("k", { namespace: "purge" }));
    const gate = await rig.connect();
    const writer = await rig.connect();
    await gate.query("SELECT pg_advisory_lock(4711)");
    await writer.query("BEGIN");
    await writer.query(`SELECT ${SCHEMA}.begin_write()`);
    const stalled = writer.query<{ version: string }>(STALLED_PUT);
    await untilBlocked(rig);
    // The writer holds an old number now. The tombstone's is greater.
    const removed = await writeOne(authority, { kind: "remove", namespace: "purge", key: "k" });
    await ageTombstones(rig);
    let purged = 0;
    for (let round = 0; round < 4; round += 1)
      purged += (await authority.sweep(1000)).purgedTombstones;
    expect(purged, "purged under a writer's feet").toBe(0);
    await gate.query("SELECT pg_advisory_unlock(4711)");
    const { rows } = await stalled;
    await writer.query("COMMIT");
    expect(Number(rows[0]?.version)).toBeGreaterThan(writtenVersion(removed));
    await expectRising(authority, "purge");
  });

  test("goes on once such writers are gone, and a later writer's number is greater", async () => {
    const { rig } = late;
    const { authority } = rig;
    await writeOne(authority, put("gone", { namespace: "purge" }));
    const removed = await writeOne(authority, { kind: "remove", namespace: "purge", key: "gone" });
    await ageTombstones(rig);
    let purged = 0;
    for (let round = 0; round < 4; round += 1)
      purged += (await authority.sweep(1000)).purgedTombstones;
    expect(purged).toBe(1);
    const again = await writeOne(authority, put("gone", { namespace: "purge" }));
    expect(writtenVersion(again)).toBeGreaterThan(writtenVersion(removed));
  });

  test("leaves versions rising while writers create and delete all the time", async () => {
    const { rig } = late;
    const { authority } = rig;
    let isSweeping = true;
    const writer = async (id: number): Promise<void> => {
      for (let round = 0; isSweeping; round += 1) {
        // Deleted keys stay so for a while: a purge takes only what it has seen once before.
        const key = `c${(id * 13 + round) % 50}`;
        const operation =
          Math.floor(round / 50) % 2 === 0
            ? put(key, { namespace: "churn", condition: "absent" as const })
            : { kind: "remove" as const, namespace: "churn", key };
        await authority.write(
          round % 3 === 0 ? [operation, put("c99", { namespace: "churn" })] : [operation],
        );
      }
    };
    const writers = Promise.all([0, 1, 2, 3].map(writer));
    let purged = 0;
    for (let sweeps = 0; sweeps < 400 && purged < 5; sweeps += 1) {
      await ageTombstones(rig);
      purged += (await authority.sweep(1000)).purgedTombstones;
    }
    isSweeping = false;
    await writers;
    expect(purged).toBeGreaterThanOrEqual(5);
    await expectRising(authority, "churn");
  });
});

describeWithPostgres("batches that wait on each other's rows", () => {
  const late = serverRig();

  test("get versions in the order in which they commit", async () => {
    const { rig } = late;
    await rig.authority.write(["a", "b"].map((key) => put(key, { namespace: "wait" })));
    const holder = await rig.connect();
    await holder.query("BEGIN");
    await holder.query(
      `SELECT FROM ${SCHEMA}.items WHERE namespace = 'wait' AND key = 'b' FOR UPDATE`,
    );
    const first = rig.authority.write(["b", "a"].map((key) => put(key, { namespace: "wait" })));
    await untilBlocked(rig, 1);
    const second = rig.authority.write([
      put("b", { namespace: "wait" }),
      { kind: "touch", namespace: "wait", key: "a", ttlSeconds: 50 },
    ]);
    await untilBlocked(rig, 2);
    await holder.query("COMMIT");
    await Promise.all([first, second]);
    expect(await expectRising(rig.authority, "wait")).toBe(6);
  });

  test("a number drawn before the wait is not kept when a greater one commits meanwhile", async () => {
    const { rig } = late;
    const namespace = "drawn-early";
    await writeOne(rig.authority, put("k", { namespace }));
    const holder = await rig.connect();
    await holder.query("BEGIN");
    await holder.query(`SELECT FROM ${SCHEMA}.items WHERE namespace = '${namespace}' FOR UPDATE`);
    const waiting = writeOne(rig.authority, put("k", { namespace }));
    await untilBlocked(rig, 1);
    const { rows } = await holder.query<{ version: string }>(
      `UPDATE ${SCHEMA}.items SET version = nextval('${SCHEMA}.versions')
       WHERE namespace = '${namespace}' RETURNING version`,
    );
    await holder.query("COMMIT");
    expect(writtenVersion(await waiting)).toBeGreaterThan(Number(rows[0]?.version));
  });

  test("an expiry that comes while a write waits counts", async () => {
    const { rig } = late;
    const namespace = "late-expiry";
    await writeOne(rig.authority, put("k", { namespace, ttlSeconds: 0.3 }));
    const holder = await rig.connect();
    await holder.query("BEGIN");
    await holder.query(`SELECT FROM ${SCHEMA}.items WHERE namespace = '${namespace}' FOR UPDATE`);
    const results = Promise.all([
      writeOne(rig.authority, put("k", { namespace, condition: "present" })),
      rig.authority.modify({ namespace, key: "k" }, (current) =>
        current === undefined ? undefined : put("k", { namespace }),
      ),
    ]);
    await untilBlocked(rig, 2);
    await holder.query(
      "SELECT pg_sleep_until(expires_at) FROM " +
        `${SCHEMA}.items WHERE namespace = '${namespace}'`,
    );
    await holder.query("COMMIT");
    expect(await results).toEqual([{ status: "conflict", currentVersion: null }, undefined]);
  });
});
