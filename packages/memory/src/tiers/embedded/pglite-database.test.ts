import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "@cherry-ai/services";
import type { TemporaryFolder } from "@cherry-ai/services";
import { systemClock } from "../../model/clock.ts";
import { seededRandom } from "../../testing/seeded-random.ts";
import { PgliteDatabase } from "./pglite-database.ts";
import type { Row } from "../postgres/database.ts";

const INSERT = { name: "insert", text: "INSERT INTO marks (n) VALUES ($1)" };
const NUMBERS = { text: "SELECT n FROM marks ORDER BY n" };
const WRITES_BEFORE_KILL = 200;

/** Opens the folder of its first argument in a process of its own, and writes until it is ended. */
const WRITER = `
import { PgliteDatabase } from ${JSON.stringify(new URL("pglite-database.ts", import.meta.url).href)};
import { systemClock } from ${JSON.stringify(new URL("../../model/clock.ts", import.meta.url).href)};
const database = new PgliteDatabase({ folder: process.argv[1], clock: systemClock, random: () => 0.5 });
await database.open();
await database.script("CREATE TABLE IF NOT EXISTS marks (n int PRIMARY KEY)");
console.log("open");
for (let n = 0; ; n++) {
  await database.write({ name: "insert", text: "INSERT INTO marks (n) VALUES ($1)" }, [n]);
  console.log(n);
}
`;

let folder: TemporaryFolder;
let opened: PgliteDatabase[] = [];

beforeEach(() => {
  folder = temporaryFolder("pglite");
});
afterEach(async () => {
  for (const database of opened) await database.close().catch(() => {});
  opened = [];
  folder.remove();
});

function create(path = folder.path, fsync = true): PgliteDatabase {
  const database = new PgliteDatabase({
    folder: path,
    fsync,
    clock: systemClock,
    random: seededRandom(1),
  });
  opened.push(database);
  return database;
}

async function open(path?: string, fsync?: boolean): Promise<PgliteDatabase> {
  const database = create(path, fsync);
  await database.open();
  return database;
}

interface Writer {
  /** Resolves with the last number acknowledged, after the process was killed. */
  kill(): Promise<number>;
  readonly pid: number | undefined;
}

/** Resolves when it has acknowledged so many writes. */
async function startWriter(path: string, writes: number): Promise<Writer> {
  const child = spawn(
    process.execPath,
    ["--conditions=@cherry-ai/source", "--input-type=module", "-e", WRITER, path],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  let last = -1;
  const reached = new Promise<void>((resolve, reject) => {
    lines.on("line", (line) => {
      if (line !== "open") last = Number(line);
      if (last + 1 >= writes) resolve();
    });
    void exited.then(() => reject(new Error("the writer ended by itself")));
  });
  await reached;
  return {
    pid: child.pid,
    kill: async () => {
      const drained = once(lines, "close");
      child.kill("SIGKILL");
      await exited;
      await drained;
      return last;
    },
  };
}

describe("PgliteDatabase on a folder", () => {
  test("keeps everything over close and reopen", async () => {
    const first = await open();
    await first.script("CREATE TABLE marks (n int PRIMARY KEY)");
    await first.write(INSERT, [1]);
    await first.transaction(async (tx) => {
      await tx.query(INSERT, [2]);
    });
    await first.close();
    const second = await open();
    expect(await second.query(NUMBERS)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test("finds the nearest vectors through an index, also after a restart", async () => {
    const nearest = {
      name: "nearest",
      text: "SELECT n FROM points ORDER BY at <-> $1::vector LIMIT 2",
    };
    const first = await open();
    await first.script(`
      CREATE EXTENSION vector;
      CREATE TABLE points (n int PRIMARY KEY, at vector(2));
      CREATE INDEX points_at ON points USING hnsw (at vector_l2_ops);
      INSERT INTO points SELECT n, ARRAY[n, 0]::vector FROM generate_series(1, 100) n;
    `);
    await first.close();
    const second = await open();
    await second.script("SET enable_seqscan = off");
    expect(await second.query(nearest, ["[41.1,0]"])).toEqual([{ n: 41 }, { n: 42 }]);
    const plan = await second.query({ text: `EXPLAIN ${nearest.text}` }, ["[41.1,0]"]);
    expect(JSON.stringify(plan)).toContain("Index Scan using points_at");
  });

  test("keeps every acknowledged write over kill -9, and frees the folder", async () => {
    const writer = await startWriter(folder.path, WRITES_BEFORE_KILL);
    await expect(open()).rejects.toMatchObject({
      code: "STORAGE_LOCKED",
      message: expect.stringContaining(`is locked by process ${writer.pid}`),
    });
    const acknowledged = await writer.kill();
    expect(acknowledged).toBeGreaterThanOrEqual(WRITES_BEFORE_KILL - 1);
    const database = await open();
    const numbers = (await database.query(NUMBERS)).map((row: Row) => row["n"]);
    const expected = Array.from({ length: acknowledged + 1 }, (_, n) => n);
    // One more may have been committed whose acknowledgement never came out.
    expect(numbers.slice(0, expected.length)).toEqual(expected);
    expect(numbers.length).toBeLessThanOrEqual(expected.length + 1);
  });

  test("of several that open it at once exactly one gets it", async () => {
    const results = await Promise.allSettled([create(), create(), create()].map((d) => d.open()));
    expect(results.map((result) => result.status).sort()).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
    ]);
  });

  test("a second one in the same process is refused, and may come after the first has closed", async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({
      code: "STORAGE_LOCKED",
      message: expect.stringContaining(folder.path),
    });
    await first.close();
    await expect(open()).resolves.toBeDefined();
  });

  test("a first start that was broken off is begun anew", async () => {
    mkdirSync(join(folder.path, "data"));
    writeFileSync(join(folder.path, "data", "PG_VERSION"), "18\n");
    writeFileSync(join(folder.path, "creating"), "");
    const database = await open();
    expect(await database.query({ text: "SELECT 1 AS n" })).toEqual([{ n: 1 }]);
    await database.write({ text: "CREATE TABLE t ()" });
    expect(existsSync(join(folder.path, "creating"))).toBe(false);
  });

  test("somebody else's data is refused and left alone", async () => {
    mkdirSync(join(folder.path, "data"));
    writeFileSync(join(folder.path, "data", "mine.txt"), "mine");
    await expect(open()).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining("which this program did not make"),
    });
    expect(readdirSync(join(folder.path, "data"))).toEqual(["mine.txt"]);
  });

  test("a format of the future is refused", async () => {
    writeFileSync(join(folder.path, "format"), "cherry-memory embedded storage 9\n");
    await expect(open()).rejects.toThrow("its format is");
  });

  test("a damaged control file is an error that names the folder, each time", async () => {
    await (await open()).close();
    truncateSync(join(folder.path, "data", "global", "pg_control"), 100);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(open()).rejects.toMatchObject({
        code: "INVALID_CONFIG",
        message: expect.stringContaining(folder.path),
      });
    }
  });

  test("missing files of a folder in use are an error, not an empty database", async () => {
    await (await open()).close();
    rmSync(join(folder.path, "data"), { recursive: true });
    await expect(open()).rejects.toThrow("is missing");
  });

  test("a folder that cannot be made is refused", async () => {
    const file = join(folder.path, "file");
    writeFileSync(file, "");
    await expect(open(join(file, "below"))).rejects.toMatchObject({ code: "INVALID_CONFIG" });
  });

  test("checkpoints by itself, so that the log stays bounded", async () => {
    const database = await open(undefined, false);
    await database.script("CREATE TABLE big (id int PRIMARY KEY, body bytea)");
    const megabyte = new Uint8Array(1024 * 1024);
    for (let round = 0; round < 160; round++) {
      const text = "INSERT INTO big VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET body = $1";
      await database.write({ name: "big", text }, [megabyte.fill(round)]);
    }
    const segments = readdirSync(join(folder.path, "data", "pg_wal")).length;
    expect(segments).toBeLessThan(140);
    const [row] = await database.query({ text: "SELECT pg_total_relation_size('big') AS bytes" });
    // Vacuum ran too: of 160 dead versions not all are still there.
    expect(Number(row?.["bytes"])).toBeLessThan(160 * megabyte.length);
  });

  test("calls before open and after close say so", async () => {
    const database = create();
    await expect(database.query(NUMBERS)).rejects.toMatchObject({ code: "NOT_INITIALIZED" });
    await database.open();
    await database.close();
    await database.close();
    await expect(database.query(NUMBERS)).rejects.toMatchObject({ code: "CLOSED" });
  });
});
