import { flushCompileCache } from "node:module";
import type { Command } from "commander";
import { MemoryError, systemClock } from "@cherry-ai/memory";
import type { EnvironmentVariables } from "@cherry-ai/memory";
import { loadApiConfig } from "../config/load-api-config.ts";
import type { ApiConfig } from "../config/api-config.ts";
import { DRAIN_BOUNDS, LOCAL_DRAIN_BOUNDS } from "../server/drain.ts";
import { createLogger } from "../server/logger.ts";
import { CherryServer } from "../server/server.ts";
import { devBanner } from "./dev-banner.ts";
import { print } from "./output.ts";
import { Signals } from "./signals.ts";

const EXAMPLES = `
Examples:
  $ cherry-memory serve --dev
  $ PORT=9000 CHERRY_DATA_DIR=/var/lib/cherry cherry-memory serve
  $ HOST=0.0.0.0 DATABASE_URL=postgres://… CHERRY_JWT_SECRET_FILE=/run/secrets/jwt cherry-memory serve

SIGTERM or SIGINT drains: not ready, requests finish, storage closes, within 20 seconds. A second
signal, a second or more later, exits at once.
`;

export function addServe(program: Command, env: EnvironmentVariables): void {
  program
    .command("serve")
    .description("run the HTTP server until it is told to stop")
    .option("--dev", "say at start where everything is, for people", false)
    .addHelpText("after", EXAMPLES)
    .action(async (options: { readonly dev: boolean }) => {
      await serve(loadApiConfig(env), options.dev);
    });
}

async function serve(config: ApiConfig, dev: boolean): Promise<void> {
  const logger = createLogger(config.logLevel);
  const signals = new Signals(systemClock);
  const server = await listen(config, logger);
  if (dev) print(devBanner(config, server));
  else logger.info({ url: server.url }, "listening");
  const bounds = config.memory.environment === "development" ? LOCAL_DRAIN_BOUNDS : DRAIN_BOUNDS;
  try {
    const started = server.start();
    // A signal during the start must not wait for a store that is away.
    await Promise.race([started, signals.first]);
    if (server.state.ready) {
      if (dev) print("ready\n");
      else logger.info("ready");
      // Otherwise it is written at exit only, which a kill -9 never reaches.
      if (dev) flushCompileCache();
    }
    const signal = await signals.first;
    if (dev) print(`${signal}: draining`);
    else logger.info({ signal }, "draining");
    const report = await server.drain(bounds);
    if (dev) print("stopped");
    else logger.info(report, "stopped");
  } catch (error) {
    await server.drain(LOCAL_DRAIN_BOUNDS);
    throw error;
  } finally {
    signals.close();
  }
}

async function listen(
  config: ApiConfig,
  logger: ReturnType<typeof createLogger>,
): Promise<CherryServer> {
  try {
    return await CherryServer.listen({ config, logger, clock: systemClock });
  } catch (error) {
    const code: unknown = (error as { readonly code?: unknown }).code;
    const { host, port } = config;
    if (code === "EADDRINUSE")
      throw new MemoryError(
        "INVALID_CONFIG",
        `PORT: ${host}:${port} is in use already; set another PORT or stop who has it`,
      );
    if (code === "EACCES" || code === "EADDRNOTAVAIL")
      throw new MemoryError(
        "INVALID_CONFIG",
        `HOST, PORT: cannot listen on ${host}:${port} (${code}); set others`,
      );
    throw error;
  }
}
