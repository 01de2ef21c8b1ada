import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { answers } from "./postgres/answers.ts";
import { describeWithPostgres } from "./vitest/shared-postgres.ts";

const OWNER = `
  import { startPostgres } from "@cherry-ai/services";
  const server = await startPostgres();
  console.log(server.url);
  console.log(server.folder);
  setInterval(() => {}, 60_000);
`;

describeWithPostgres("a server whose owner is killed", () => {
  test("ends, and its folder goes with it", async () => {
    const owner = spawn(
      process.execPath,
      ["--conditions=@cherry-ai/source", "--input-type=module", "--eval", OWNER],
      { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] },
    );
    try {
      const lines = createInterface(owner.stdout)[Symbol.asyncIterator]();
      const url = String((await lines.next()).value);
      const folder = String((await lines.next()).value);
      expect(existsSync(dirname(folder))).toBe(true);
      expect(await answers(url)).toBe(true);
      const ended = once(owner, "exit");
      owner.kill("SIGKILL");
      await ended;
      await expect.poll(() => answers(url), { timeout: 15_000 }).toBe(false);
      await expect.poll(() => existsSync(dirname(folder)), { timeout: 15_000 }).toBe(false);
    } finally {
      owner.kill("SIGKILL");
    }
  });
});
