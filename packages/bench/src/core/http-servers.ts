/** The two servers of the HTTP case, each in a process of its own. */
import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, temporaryFolder } from "@cherry-ai/services";
import type { BareAnswer } from "./bare-express.ts";

const API_COMMAND = fileURLToPath(new URL("../../../api/src/cli/main.ts", import.meta.url));
const BARE_EXPRESS = fileURLToPath(new URL("./bare-express.ts", import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 50;

export interface HttpServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** `cherry-memory serve` on embedded storage in a folder of its own, as it is installed. */
export async function startCherry(): Promise<HttpServer> {
  const folder = temporaryFolder("bench");
  const port = await freePort();
  const flags = ["--conditions=@cherry-ai/source", API_COMMAND, "serve"];
  // An environment of its own: a DATABASE_URL of the caller must not change what is measured.
  const env = { PORT: String(port), CHERRY_DATA_DIR: folder.path, NODE_ENV: "production" };
  const child = spawn(process.execPath, flags, { env, stdio: ["ignore", "ignore", "inherit"] });
  const stop = async (): Promise<void> => {
    await end(child);
    folder.remove();
  };
  try {
    await untilReady(child, `http://127.0.0.1:${port}/readyz`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, stop };
}

/** express with one route that sends the given bytes. */
export async function startBareExpress(answer: BareAnswer): Promise<HttpServer> {
  const child = fork(BARE_EXPRESS, [JSON.stringify(answer)], {
    env: { NODE_ENV: "production" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [message] = (await once(child, "message", {
    signal: AbortSignal.timeout(START_TIMEOUT_MS),
  })) as [{ readonly port: number }];
  return { port: message.port, stop: () => end(child) };
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const attempts = START_TIMEOUT_MS / POLL_MS;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await sleep(POLL_MS);
  }
  throw new Error("the server did not become ready");
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit", { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
  child.kill("SIGTERM");
  await exit.catch(() => child.kill("SIGKILL"));
}
