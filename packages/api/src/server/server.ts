import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { PrometheusMetrics, UnifiedMemoryManager, isMemoryError } from "@cherry-ai/memory";
import type { Clock, Limits, MemoryManager } from "@cherry-ai/memory";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Authenticator } from "../auth/authenticator.ts";
import { LoopbackAuthenticator } from "../auth/loopback.ts";
import type { ApiConfig } from "../config/api-config.ts";
import { DEFAULT_BOUNDS } from "../http/context.ts";
import type { ApiContext, ServerBounds } from "../http/context.ts";
import { HttpMetrics, addProcessMetrics } from "../metrics/http-metrics.ts";
import { createApp } from "./app.ts";
import { drain } from "./drain.ts";
import type { DrainBounds, DrainReport } from "./drain.ts";
import { withHotLane } from "./hot-lane.ts";
import { createListener } from "./listener.ts";
import { ServerState } from "./server-state.ts";

const START_RETRY_MS = 2_000;

export interface ServerParts {
  readonly config: ApiConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly bounds?: Partial<ServerBounds>;
  /** Another memory than the configured one, with the registry of its metrics. */
  readonly memory?: { readonly manager: MemoryManager; readonly registry: Registry };
}

/** The server from its first listen to the end of its drain. */
export class CherryServer {
  readonly state: ServerState;
  readonly memory: MemoryManager;
  readonly #context: ApiContext;
  readonly #server: Server;
  readonly #config: ApiConfig;
  #drained: Promise<DrainReport> | undefined;

  private constructor(context: ApiContext, config: ApiConfig) {
    this.#context = context;
    this.#config = config;
    this.state = context.state;
    this.memory = context.memory;
    this.#server = createListener(withHotLane(context, createApp(context)));
  }

  /** Listens at once, so that probes are answered while the memory starts. */
  static async listen(parts: ServerParts): Promise<CherryServer> {
    const { config, logger, clock } = parts;
    const { manager, registry } = parts.memory ?? openMemory(config, logger);
    const state = new ServerState();
    addProcessMetrics(registry);
    const context: ApiContext = {
      memory: manager,
      limits: config.memory.limits,
      auth: await createAuthenticator(config, { logger, clock }),
      state,
      metrics: new HttpMetrics(registry, state),
      registry,
      logger,
      clock,
      bounds: { ...DEFAULT_BOUNDS, ...parts.bounds },
    };
    const server = new CherryServer(context, config);
    await server.#listen();
    return server;
  }

  get port(): number {
    // A server that listens on TCP has such an address.
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    const { host } = this.#config;
    const name = host.includes(":") ? `[${host}]` : host;
    return `http://${name}:${this.port}`;
  }

  /** Opens the memory. A store that is away is tried again; everything else is thrown. */
  async start(): Promise<void> {
    const { clock, logger } = this.#context;
    while (!this.state.drainSignal.aborted) {
      try {
        await this.memory.initialize();
        this.state.markReady();
        return;
      } catch (error) {
        if (!isMemoryError(error) || error.code !== "STORE_UNAVAILABLE") throw error;
        logger.warn({ err: error }, "the store is away; trying again");
        await clock.sleep(START_RETRY_MS);
      }
    }
  }

  /** Once, however often it is called. */
  drain(bounds: DrainBounds): Promise<DrainReport> {
    this.#drained ??= this.#drain(bounds);
    return this.#drained;
  }

  async #drain(bounds: DrainBounds): Promise<DrainReport> {
    const { state, memory, clock, auth } = this.#context;
    const report = await drain({ server: this.#server, state, memory, clock }, bounds);
    auth.close();
    return report;
  }

  #listen(): Promise<void> {
    const { host, port } = this.#config;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }
}

function openMemory(
  config: ApiConfig,
  logger: Logger,
): { readonly manager: MemoryManager; readonly registry: Registry } {
  const metrics = new PrometheusMetrics();
  const manager = new UnifiedMemoryManager(config.memory, {
    metrics,
    onError: (error) => logger.warn({ err: error }, "background work failed"),
  });
  metrics.observe(manager);
  return { manager, registry: metrics.registry };
}

/** The library for tokens is loaded only where tokens are used. */
async function createAuthenticator(
  config: ApiConfig,
  around: { readonly logger: Logger; readonly clock: Clock },
): Promise<Authenticator> {
  const { auth, memory } = config;
  if (auth.kind === "loopback") return new LoopbackAuthenticator();
  const { TokenAuthenticator } = await import("../auth/tokens.ts");
  const limits: Limits = memory.limits;
  return new TokenAuthenticator({ auth, limits, ...around });
}
