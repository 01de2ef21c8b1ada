import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@cherry-ai/services";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { caller, freshNamespace, itemPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

const MAIN = new URL("../src/cli/main.ts", import.meta.url).pathname;
const SECRET = "a-secret-of-more-than-32-characters!!";

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], env: { readonly [name: string]: string } = {}) {
  const child = spawn(process.execPath, ["--conditions=@cherry-ai/source", MAIN, ...args], {
    env: { PATH: process.env["PATH"] ?? "", LOG_LEVEL: "warn", ...env },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => (output.stdout += String(data)));
  child.stderr.on("data", (data) => (output.stderr += String(data)));
  const ended = new Promise<Run>((resolve) => {
    child.on("close", (code) => resolve({ code, ...output }));
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, output, ended };
}

function run(
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
  stdin = "",
): Promise<Run> {
  const { child, ended } = start(args, env);
  child.stdin.end(stdin);
  return ended;
}

function folderOfTest(): string {
  const { path, remove } = temporaryFolder("cherry-cli");
  onTestFinished(() => remove());
  return path;
}

test("help is there for every command, with examples", async () => {
  const top = await run(["--help"]);
  expect(top.code).toBe(0);
  for (const name of ["serve", "migrate", "token", "export", "import"]) {
    expect(top.stdout).toContain(name);
    const help = await run([name, "--help"]);
    expect([name, help.code, help.stdout.includes("Examples:")]).toEqual([name, 0, true]);
  }
});

test.each([[["dance"]], [["token"]], [["serve", "--colour"]], [["export", "--ns", "a", "--json"]]])(
  "%j is a usage error: exit 2",
  async (args) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).not.toBe("");
  },
);

describe("token", () => {
  const settings = { CHERRY_JWT_SECRET: SECRET, CHERRY_JWT_ISSUER: "i", CHERRY_JWT_AUDIENCE: "a" };

  test("signs what a server with the same settings takes", async () => {
    const args = ["token", "--scope", "writer", "--ns", "acme/a,b", "--ttl", "15m"];
    const { code, stdout } = await run(args, settings);
    expect(code).toBe(0);
    const { call } = await startServer({ env: settings });
    const authorization = `Bearer ${stdout.trim()}`;
    const status = async (ns: string): Promise<number> =>
      (await call("GET", itemPath(ns, "none"), undefined, { authorization })).status;
    expect([await status("acme/a/x"), await status("b"), await status("acme")]).toEqual([
      404, 404, 403,
    ]);
    const json = await run([...args, "--json"], settings);
    expect(JSON.parse(json.stdout)).toMatchObject({ scope: "writer", ns: ["acme/a", "b"] });
  });

  test.each([
    ["--scope", "root"],
    ["--ttl", "soon"],
    ["--ttl", "999d"],
    ["--ns", "a,,b"],
  ])("%s %s is refused", async (option, value) => {
    const good = { "--scope": "reader", "--ns": "a", "--ttl": "1h", [option]: value };
    const { code } = await run(["token", ...Object.entries(good).flat()], settings);
    expect(code).toBe(2);
  });

  test("without a secret it says which setting is missing", async () => {
    const { code, stderr } = await run(["token", "--scope", "reader", "--ns", "a", "--ttl", "1h"]);
    expect([code, stderr.includes("CHERRY_JWT_SECRET")]).toEqual([2, true]);
  });
});

test("export and import go over HTTP with --url, and report lines that fail with exit 1", async () => {
  const { url, call } = await startServer();
  const [from, to] = [freshNamespace(), freshNamespace()];
  await call("PUT", itemPath(from, "k"), { value: "é", metadata: { a: 1 } });
  const file = join(folderOfTest(), "out.ndjson");
  const out = await run(["export", "--ns", from, "--url", url, "--out", file, "--json"]);
  expect([out.code, JSON.parse(out.stdout)]).toEqual([0, { items: 1, file }]);
  const into = await run(["import", "--ns", to, "--url", url, "--in", file]);
  expect([into.code, into.stdout]).toEqual([0, "1 of 1 lines imported\n"]);
  expect((await call("GET", itemPath(to, "k"))).json).toMatchObject({
    value: "é",
    metadata: { a: 1 },
  });
  const bad = await run(["import", "--ns", to, "--url", url, "--json"], {}, "not json\n");
  expect([bad.code, JSON.parse(bad.stdout)]).toMatchObject([1, { imported: 0, lines: 1 }]);
  expect(bad.stderr).toContain("line 1");
  const piped = await run(["export", "--ns", from, "--url", url]);
  expect(JSON.parse(piped.stdout)).toMatchObject({ key: "k", value: "é" });
  const failed = await run(["export", "--ns", from, "--url", `${url}/none`, "--out", `${file}2`]);
  expect([failed.code, existsSync(`${file}2`), existsSync(`${file}2.partial`)]).toEqual([
    1,
    false,
    false,
  ]);
});

test("migrate, import and export work on the storage itself", async () => {
  const folder = folderOfTest();
  const env = { CHERRY_DATA_DIR: join(folder, "data") };
  const migrated = await run(["migrate", "--json"], env);
  expect([migrated.code, JSON.parse(migrated.stdout)]).toMatchObject([0, { upToDate: true }]);
  const lines = '{"key":"a","value":1}\n{"key":"b","value":2,"namespace":"below"}\n';
  expect(await run(["import", "--ns", "x/y"], env, lines)).toMatchObject({ code: 0 });
  const out = await run(["export", "--ns", "x", "--below", "--out", join(folder, "f")], env);
  expect(out.code).toBe(0);
  const exported = readFileSync(join(folder, "f"), "utf8").trimEnd().split("\n");
  expect(exported.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { namespace: "y", key: "a" },
    { namespace: "y/below", key: "b" },
  ]);
});

test("serve --dev says where everything is, refuses a second process, and drains on SIGTERM", async () => {
  const folder = folderOfTest();
  const env = { CHERRY_DATA_DIR: join(folder, "data"), PORT: "0" };
  const first = start(["serve", "--dev"], env);
  await expect.poll(() => first.output.stdout, { timeout: 30_000 }).toContain("ready");
  const { stdout } = first.output;
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0] ?? "";
  expect(stdout.indexOf("curl -X PUT")).toBeLessThan(stdout.indexOf("ready"));
  expect(stdout).toContain(env.CHERRY_DATA_DIR);
  expect(stdout).toMatch(/L2 {2}off {2}\S+/);
  const call = caller(url);
  expect((await call("PUT", itemPath("demo", "hello"), { value: 1 })).status).toBe(200);

  const second = await run(["serve", "--dev"], env);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/lock/i);

  const taken = await run(["serve"], { CHERRY_DATA_DIR: ":memory:", PORT: new URL(url).port });
  expect([taken.code, taken.stderr.includes("PORT")]).toEqual([2, true]);

  first.child.kill("SIGTERM");
  first.child.kill("SIGTERM");
  const ended = await first.ended;
  expect(ended.code).toBe(0);
  expect(ended.stdout).toContain("stopped");
});

test.each([[{ HOST: "0.0.0.0" }], [{ CHERRY_ENVIRONMENT: "production" }]])(
  "serve refuses %j without a JWT setting",
  async (env) => {
    const { code, stderr } = await run(["serve"], env);
    expect([code, stderr.includes("JWT")]).toEqual([2, true]);
  },
);
