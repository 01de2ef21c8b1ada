import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { describe, expect, test } from "vitest";

const PROGRAM = join(import.meta.dirname, "bentocache-suite", "main.ts");
/** Of bentocache 1.6.1. */
const CASES = 21;

/** On japa, the runner that the suite belongs to, which has its process to itself. */
async function runSuite(...args: readonly string[]): Promise<unknown> {
  const node = ["--conditions=@cherry-ai/source", PROGRAM, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, node);
  const { passed, failed }: { passed: unknown[]; failed: unknown[] } = JSON.parse(stdout);
  return { passed: passed.length, failed };
}

describe("bentocache's driver suite", () => {
  test("passes in full, embedded", async () => {
    expect(await runSuite()).toEqual({ passed: CASES, failed: [] });
  });
});

describeWithPostgres("bentocache's driver suite, PostgreSQL", () => {
  test("passes in full", async () => {
    expect(await runSuite(await testDatabase())).toEqual({ passed: CASES, failed: [] });
  });
});
