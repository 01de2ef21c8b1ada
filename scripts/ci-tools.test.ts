import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findProgram } from "../packages/services/src/program.ts";
import { temporaryFolder } from "../packages/services/src/temporary-folder.ts";
import type { TemporaryFolder } from "../packages/services/src/temporary-folder.ts";
import { describeNeeding } from "../packages/services/src/vitest/shared-postgres.ts";

const LIBRARY = join(import.meta.dirname, "../.ci/tools/lib.sh");

const missing =
  findProgram("flock") === undefined ? "no flock on PATH (Debian: util-linux)" : undefined;

let cache: TemporaryFolder;
beforeEach(() => {
  cache = temporaryFolder("tools");
});
afterEach(() => cache.remove());

/** A shell that has the library, and builds with the body of a function. */
function build(body: string): ReturnType<typeof spawn> {
  const script = `source ${LIBRARY}\nbuild() {\n${body}\n}\nbuilt tool-1 build`;
  return spawn("bash", ["-c", script], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, CHERRY_CI_CACHE: cache.path },
    detached: true,
  });
}

async function result(shell: ReturnType<typeof spawn>): Promise<{ code: unknown; out: string }> {
  let out = "";
  shell.stdout?.on("data", (data: Buffer) => (out += data.toString()));
  const [code] = await once(shell, "close");
  return { code, out: out.trim() };
}

function visible(): string[] {
  return readdirSync(cache.path).filter((name) => !name.endsWith(".lock"));
}

describeNeeding(missing, "a tool that is built into the cache", () => {
  test("is built once, and then found", async () => {
    const tool = join(cache.path, "tool-1");
    const body = `echo made >>"$tools_folder/count"; echo 1 >"$1/file"`;
    expect(await result(build(body))).toEqual({ code: 0, out: tool });
    expect(await result(build(body))).toEqual({ code: 0, out: tool });
    expect(readFileSync(join(cache.path, "count"), "utf8")).toBe("made\n");
    expect(readFileSync(join(tool, "file"), "utf8")).toBe("1\n");
  });

  test("is built by one of several that want it at once", async () => {
    const body = `echo made >>"$tools_folder/count"; echo 1 >"$1/file"`;
    const results = await Promise.all([1, 2, 3, 4].map(() => result(build(body))));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(readFileSync(join(cache.path, "count"), "utf8")).toBe("made\n");
  });

  test("is not there when a step of its build failed, and leaves nothing", async () => {
    const failed = await result(build(`echo 1 >"$1/file"; false || return 1; echo not reached`));
    expect(failed).toEqual({ code: 1, out: "" });
    expect(visible()).toEqual([]);
  });

  test("is built by the next when its builder was killed, whose leavings go", async () => {
    const killed = build(`echo 1 >"$1/file"; echo half made; sleep 600`);
    if (killed.stderr === null || killed.pid === undefined) throw new Error("no shell");
    for await (const line of createInterface(killed.stderr)) if (line === "half made") break;
    const ended = once(killed, "exit");
    process.kill(-killed.pid, "SIGKILL");
    await ended;
    expect(visible()).toHaveLength(1);
    expect((await result(build(`echo 2 >"$1/file"`))).code).toBe(0);
    expect(visible()).toEqual(["tool-1"]);
    expect(existsSync(join(cache.path, "tool-1", "file"))).toBe(true);
  });
});
