import { between, pickServer } from "./fault.ts";
import type { Fault, FaultContext } from "./fault.ts";

const SERVED = 0.02;
/** Times the bound. */
const PAUSE_BOUNDS = 1.8;
/** Reads are put to a sleeping server this long before it wakes. */
const ASK_BEFORE_MS = 250;
const SKEW_MS_MAX = 120_000;

const killServer: Fault = {
  name: "killServer",
  about: "SIGKILL to a server, which is started again",
  needsRedis: false,
  failedShareMax: SERVED,
  strike: async (context) => {
    const server = pickServer(context);
    server.isAway = true;
    await server.kill();
    await server.start();
    server.isAway = false;
  },
};

const pauseServer: Fault = {
  name: "pauseServer",
  about: "SIGSTOP to a server for 1.8 bounds; it is asked for everything while it sleeps",
  needsRedis: false,
  failedShareMax: SERVED,
  strike: async (context) => {
    const server = pickServer(context);
    server.isAway = true;
    server.pause();
    await context.sleep(context.boundMs * PAUSE_BOUNDS);
    const asked = context.readEverything(server);
    await context.sleep(ASK_BEFORE_MS);
    server.resume();
    await asked;
    server.isAway = false;
  },
};

const skewedClocks: Fault = {
  name: "skewedClocks",
  about: "the wall clock of every server jumps, by up to two minutes either way",
  needsRedis: false,
  failedShareMax: SERVED,
  strike: async ({ stage, random, sleep }: FaultContext) => {
    for (const server of stage.present)
      await server
        .call({ op: "skewClock", byMs: between(random, -SKEW_MS_MAX, SKEW_MS_MAX) })
        .catch(() => {
          // It is down: its clock is as good as any when it comes back.
        });
    await sleep(1000);
  },
};

export const SERVER_FAULTS: readonly Fault[] = [killServer, pauseServer, skewedClocks];
