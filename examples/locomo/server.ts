import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../packages/api/src/cli/main.ts", import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 25_000;
const POLL_MS = 100;

export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** Whether a server that is ready answers there. */
export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(new URL("/readyz", url))).ok;
  } catch {
    return false;
  }
}

/** A server of our own on a free port, its storage in a folder that goes with it. */
export async function startServer(): Promise<Server> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), "cherry-locomo-"));
  const child = spawn(process.execPath, ["--conditions=@cherry-ai/source", COMMAND, "serve"], {
    // Nothing of the caller's settings: it must not write into somebody's database.
    env: { PORT: String(port), CHERRY_DATA_DIR: folder },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exit = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exit;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    if (await answers(url)) return { url, stop };
    if (child.exitCode !== null) break;
    await sleep(POLL_MS);
  }
  await stop();
  throw new Error("the server did not start; its reason is above");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
