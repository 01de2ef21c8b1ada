import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PGlite } from "@electric-sql/pglite";
import { temporaryFolder } from "@cherry-ai/services";
import type { TemporaryFolder } from "@cherry-ai/services";
import { DurableFiles } from "./durable-files.ts";
import { startEngine } from "./pglite-engine.ts";
import { PgliteSession } from "./pglite-session.ts";

const SEGMENT = "pg_wal/000000010000000000000001";
const RENAMED = "pg_wal/000000010000000000000009";
const MISSING = "pg_wal/000000010000000000000002";

interface FakeOperations {
  write: (stream: { readonly path: string }) => number;
  fsync?: (stream: { readonly path: string }) => number;
}

let folder: TemporaryFolder;
let files: DurableFiles;
let operations: FakeOperations;

/** The engine's side without the engine: only its table of file operations. */
beforeEach(async () => {
  folder = temporaryFolder("durable");
  mkdirSync(join(folder.path, "pg_wal"));
  writeFileSync(join(folder.path, SEGMENT), "log");
  files = new DurableFiles(folder.path);
  operations = { write: () => 7 };
  const filesystems = { NODEFS: { stream_ops: operations } };
  const module = { FS: { filesystems, mkdirTree: () => {}, mount: () => {} } };
  const prepared = await files.init({} as PGlite, {});
  for (const step of prepared.emscriptenOpts.preRun ?? []) Reflect.apply(step, undefined, [module]);
  files.deferring = true;
});
afterEach(() => {
  files.deferring = false;
  folder.remove();
});

function sync(path: string): unknown {
  return operations.fsync?.({ path: `${PGlite.paths.PGDATA}/${path}` });
}

function write(path: string): number {
  return operations.write({ path: `${PGlite.paths.PGDATA}/${path}` });
}

describe("DurableFiles", () => {
  test("all who wait for a commit share one flush, and one after it needs none", async () => {
    sync(SEGMENT);
    const first = files.flush();
    expect(files.flush()).toBe(first);
    await first;
    sync(SEGMENT);
    expect(files.flush()).not.toBe(first);
    await files.flush();
  });

  test("a segment that was renamed meanwhile is still flushed", async () => {
    sync(SEGMENT);
    writeFileSync(join(folder.path, RENAMED), "log");
    rmSync(join(folder.path, SEGMENT));
    await expect(files.flush()).resolves.toBeUndefined();
  });

  test("writes pass through, to the log and to data", () => {
    sync(SEGMENT);
    expect(write(SEGMENT)).toBe(7);
    expect(write("base/5/1234")).toBe(7);
  });

  test("a sync that fails is an error the engine understands, and no later flush succeeds", async () => {
    expect(() => sync(MISSING)).toThrow(expect.objectContaining({ name: "ErrnoError" }));
    await expect(files.flush()).rejects.toMatchObject({ code: "ENOENT" });
  });
});

test("a module without the file operations is refused", async () => {
  const elsewhere = temporaryFolder("durable");
  const prepared = await new DurableFiles(elsewhere.path).init({} as PGlite, {});
  const module = { FS: { filesystems: { NODEFS: {} }, mkdirTree: () => {}, mount: () => {} } };
  expect(() => {
    for (const step of prepared.emscriptenOpts.preRun ?? []) {
      Reflect.apply(step, undefined, [module]);
    }
  }).toThrow("another file system");
  elsewhere.remove();
});

test("the engine asks for its commits to be synced, and for nothing when it only reads", async () => {
  const place = temporaryFolder("engine");
  const { database, files: real } = await startEngine(place.path, true);
  if (real === undefined) throw new Error("expected durable files");
  real.deferring = true;
  const session = new PgliteSession(database);
  await session.script("CREATE TABLE marks (n int)");
  // While something waits to be synced all get the same promise.
  expect(real.flush()).toBe(real.flush());
  await real.flush();
  await session.run({ text: "SELECT n FROM marks" });
  expect(real.flush()).not.toBe(real.flush());
  await session.run({ text: "INSERT INTO marks VALUES (1)" });
  expect(real.flush()).toBe(real.flush());
  await real.flush();
  real.deferring = false;
  await database.close();
  place.remove();
});
