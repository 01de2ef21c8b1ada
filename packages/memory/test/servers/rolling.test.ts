import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { Redis } from "ioredis";
import { describeWithPostgresAndRedis, testDatabase } from "@cherry-ai/services/vitest";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { FORMAT_VERSION as BODY_FORMAT } from "../../src/codec/format.ts";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import type { Database } from "../../src/tiers/postgres/database.ts";
import { FORMAT_VERSION as SHARED_FORMAT } from "../../src/tiers/redis/redis-names.ts";
import { checkStart } from "../../src/tiers/redis/entry-check.ts";
import { encodeChanges } from "../../src/tiers/redis/bus-message.ts";
import { SCHEMA, serverDatabase } from "../support/databases.ts";

const NEXT_BODY = BODY_FORMAT + 1;
const NEXT_SHARED = SHARED_FORMAT + 1;
/** Head and facts of a copy in Redis, whose body follows when there are neither metadata nor tags. */
const BODY_AT = 33 + 29;

/** What the next release would write, met by this one. */
describeWithPostgresAndRedis("what another release wrote", () => {
  let redis: RedisServer;
  let url: string;
  let database: Database;
  let memory: UnifiedMemoryManager;
  const servers: UnifiedMemoryManager[] = [];
  const errors: unknown[] = [];

  async function server(): Promise<UnifiedMemoryManager> {
    const made = new UnifiedMemoryManager(
      {
        optimization: { sweepIntervalMs: 50 },
        metrics: { enabled: false, prometheusEnabled: false },
        tiers: {
          L2: { enabled: true, url: redis.url, commandTimeoutMs: 1000 },
          L3: { url, connectionBudget: 8, servers: 1 },
        },
      },
      { onError: (error) => errors.push(error) },
    );
    await made.initialize();
    servers.push(made);
    return made;
  }

  beforeAll(async () => {
    redis = await startRedis();
    url = await testDatabase();
    database = serverDatabase(url);
    await database.open();
  });
  afterAll(async () => {
    await database?.close();
    await redis?.remove();
  });
  beforeEach(async () => {
    errors.length = 0;
    memory = await server();
  });
  afterEach(async () => {
    for (const one of servers.splice(0)) await one.close();
  });

  async function nameIn(pattern: string): Promise<string> {
    const names = await redis.command("KEYS", pattern);
    const [name] = Array.isArray(names) ? names.map(String) : [];
    if (name === undefined) throw new Error(`nothing in Redis is named ${pattern}`);
    return name;
  }

  /** Until a copy is in Redis: a server that has just started may not know yet what it may put there. */
  async function setShared(key: string, value: string): Promise<void> {
    const set = async (): Promise<string | undefined> =>
      (await memory.set(key, value, { tierHint: "l2" })).tiers.l2;
    await expect.poll(set, { timeout: 20_000 }).toBe("stored");
  }

  const fresh = async (key: string): Promise<unknown> => (await server()).getItem(key);

  test("a body in the database is neither absent nor guessed at, and spoils no other", async () => {
    const key = randomUUID();
    await memory.set(key, "written");
    await memory.set(`${key}-other`, "sound");
    const text = `UPDATE ${SCHEMA}.items SET body = set_byte(body, 0, ${NEXT_BODY}) WHERE key = $1`;
    await database.write({ text }, [key]);
    await redis.command("FLUSHALL");
    const other = await server();
    await expect(other.get(key)).rejects.toMatchObject({
      code: "CORRUPT_VALUE",
      message: expect.stringMatching(`format ${NEXT_BODY}, this release reads`) as unknown,
    });
    expect(await other.get(`${key}-other`)).toBe("sound");
    await other.set(key, "again");
    expect(await other.get(key)).toBe("again");
  });

  test("a body in Redis is a miss, which the database answers", async () => {
    const key = randomUUID();
    await setShared(key, "written");
    const name = await nameIn(`*${key}`);
    const client = new Redis(redis.url);
    const entry = (await client.getBuffer(name)) ?? Buffer.alloc(0);
    expect(entry[BODY_AT]).toBe(BODY_FORMAT);
    entry[BODY_AT] = NEXT_BODY;
    // Sound, as the other release made it.
    const checked = entry.subarray(0, -4);
    entry.writeUInt32LE(crc32(checked, checkStart({ namespace: "", key })), checked.length);
    await client.set(name, entry);
    client.disconnect();
    expect(await fresh(key)).toMatchObject({ value: "written", tier: "l3" });
  });

  test("an entry of Redis is a miss, under another name and of another kind", async () => {
    const [renamed, changed] = [randomUUID(), randomUUID()];
    for (const key of [renamed, changed]) await setShared(key, "written");
    const name = await nameIn(`*${renamed}`);
    expect(name).toContain(`:${SHARED_FORMAT}:`);
    await redis.command("RENAME", name, name.replace(`:${SHARED_FORMAT}:`, `:${NEXT_SHARED}:`));
    await redis.command("SETRANGE", await nameIn(`*${changed}`), 0, "X");
    for (const key of [renamed, changed])
      expect(await fresh(key)).toMatchObject({ value: "written", tier: "l3" });
    // It makes way for the next write.
    await memory.set(changed, "again", { tierHint: "l2" });
    const kind = async (): Promise<unknown> =>
      redis.command("GETRANGE", await nameIn(`*${changed}`), 0, 0);
    await expect.poll(kind, { timeout: 20_000 }).toBe("C");
  });

  test("a message of the bus takes nothing away and breaks nothing", async () => {
    const key = randomUUID();
    await memory.set(key, "written");
    const channels = await redis.command("PUBSUB", "CHANNELS", "cherry:bus:*");
    const [channel = ""] = Array.isArray(channels) ? channels.map(String) : [];
    const message = JSON.parse(encodeChanges([{ namespace: "", key, version: 2 ** 52 }])) as object;
    const next = JSON.stringify({ ...message, f: NEXT_SHARED });
    for (const text of [next, "not of ours"])
      expect(await redis.command("PUBLISH", channel, text)).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await memory.getItem(key)).toMatchObject({ value: "written", tier: "l1" });
    expect(errors).toEqual([]);
  });

  test("a session's token demands everything, and is answered", async () => {
    const key = randomUUID();
    await memory.set(key, "written");
    const body = Buffer.from([2, 1, 2, 3]);
    const check = Buffer.alloc(4);
    check.writeUInt32LE(crc32(body));
    const token = Buffer.concat([body, check]).toString("base64url");
    const session = (await server()).session(token);
    expect(await session.get(key)).toBe("written");
    expect(await memory.session(session.token).get(key)).toBe("written");
  });

  test("a search's cursor is refused with what to do, never taken for a place", async () => {
    for (const n of [1, 2, 3]) await memory.set(`page-${n}`, n);
    const request = { pattern: "page-*", limit: 1 };
    const { nextCursor } = await memory.search(request);
    const fields = JSON.parse(Buffer.from(nextCursor ?? "", "base64url").toString()) as unknown[];
    fields[0] = Number(fields[0]) + 1;
    const cursor = Buffer.from(JSON.stringify(fields)).toString("base64url");
    await expect(memory.search({ ...request, cursor })).rejects.toMatchObject({
      code: "INVALID_CURSOR",
      message: expect.stringContaining("start again without one") as unknown,
    });
    await expect(memory.changes({ after: "2.17" })).rejects.toMatchObject({
      code: "INVALID_CURSOR",
    });
  });

  async function makeJob(selection: object, cursor: string | null): Promise<string> {
    const rows = await database.write(
      {
        text: `INSERT INTO ${SCHEMA}.jobs (namespace, kind, selection, cursor, forgotten)
          VALUES ('', 'forget', $1::text::json, $2, 0) RETURNING id::text`,
      },
      [JSON.stringify(selection), cursor],
    );
    return String(rows[0]?.["id"]);
  }

  test("a place in a forget job is the beginning of it, and the job is finished", async () => {
    const prefix = randomUUID();
    for (const n of [1, 2, 3]) await memory.set(`${prefix}-${n}`, n);
    const selection = { namespace: "", below: false, pattern: `${prefix}-*` };
    const cursor = Buffer.from('[2,"hash","",{"key":"b"},true]').toString("base64url");
    const id = await makeJob(selection, cursor);
    await expect
      .poll(() => memory.forgetJob(id), { timeout: 20_000 })
      .toMatchObject({ state: "done" });
    expect((await memory.search({ pattern: `${prefix}-*` })).items).toEqual([]);
  });

  test("a forget job that is narrowed by something unknown forgets nothing", async () => {
    const prefix = randomUUID();
    await memory.set(`${prefix}-1`, 1);
    const selection = { namespace: "", below: false, pattern: `${prefix}-*`, olderThan: 5 };
    const id = await makeJob(selection, null);
    await expect
      .poll(() => memory.forgetJob(id), { timeout: 20_000 })
      .toMatchObject({ state: "failed" });
    expect(await memory.get(`${prefix}-1`)).toBe(1);
  });

  test("a change of an unknown kind ends all copies, and the log is followed on", async () => {
    const key = randomUUID();
    await memory.set(key, 1);
    expect(await memory.getItem(key)).toMatchObject({ tier: "l1" });
    const text = `INSERT INTO ${SCHEMA}.changes (namespace, key, version, op)
      VALUES ('', $1, nextval('${SCHEMA}.versions'), 'folded')`;
    await database.write({ text }, [key]);
    await expect
      .poll(async () => (await memory.explain(key)).tiers.find(({ tier }) => tier === "l1"))
      .toMatchObject({ present: false });
    expect(await memory.get(key)).toBe(1);
    await expect
      .poll(async () => {
        await memory.get(key);
        return (await memory.getItem(key))?.tier;
      })
      .toMatch(/l[012]/);
    expect(errors).toEqual([]);
  });
});
