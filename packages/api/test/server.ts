import {
  PrometheusMetrics,
  UnifiedMemoryManager,
  loadConfig,
  systemClock,
} from "@cherry-ai/memory";
import type { Clock, EnvironmentVariables, MemoryManager } from "@cherry-ai/memory";
import { pino } from "pino";
import type { Logger } from "pino";
import { onTestFinished } from "vitest";
import { loadApiConfig } from "../src/config/load-api-config.ts";
import type { ServerBounds } from "../src/http/context.ts";
import type { DrainBounds } from "../src/server/drain.ts";
import { CherryServer } from "../src/server/server.ts";

/** Short, so that a test that leaves a request open does not wait for it. */
const TEST_DRAIN: DrainBounds = { noticeMs: 0, requestsMs: 200, closeMs: 5_000 };

export interface TestServerOptions {
  readonly env?: EnvironmentVariables;
  readonly bounds?: Partial<ServerBounds>;
  readonly memory?: MemoryManager;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Leave the memory unopened, as while the server starts. */
  readonly unstarted?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when the body is no JSON. */
  readonly json: { readonly [name: string]: unknown } | undefined;
}

export interface TestServer {
  readonly server: CherryServer;
  readonly url: string;
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: { readonly [name: string]: string },
  ) => Promise<Answer>;
}

const shared: { manager: Promise<MemoryManager> | undefined } = { manager: undefined };

/** One embedded database for all servers of a test file: starting one takes a second. */
export function sharedMemory(): Promise<MemoryManager> {
  shared.manager ??= (async () => {
    const manager = new UnifiedMemoryManager(loadConfig({ CHERRY_DATA_DIR: ":memory:" }));
    await manager.initialize();
    return manager;
  })();
  return shared.manager;
}

/** The memory that outlives the server in front of it. */
function unclosable(manager: MemoryManager): MemoryManager {
  return new Proxy(manager, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** A server on a free port; it ends with the test. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const config = loadApiConfig({ PORT: "0", CHERRY_DATA_DIR: ":memory:", ...options.env });
  const manager = options.memory ?? unclosable(await sharedMemory());
  const server = await CherryServer.listen({
    config,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? pino({ level: "silent" }),
    ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
    memory: { manager, registry: new PrometheusMetrics().registry },
  });
  onTestFinished(async () => {
    await server.drain(TEST_DRAIN);
  });
  if (options.unstarted !== true) await server.start();
  return { server, url: server.url, call: caller(server.url) };
}

export function caller(url: string): TestServer["call"] {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    let json: Answer["json"];
    try {
      json = JSON.parse(text) as Answer["json"];
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  };
}

let namespaces = 0;

/** A namespace that no other test of this file uses. */
export function freshNamespace(): string {
  namespaces += 1;
  return `t${process.pid}-${namespaces}`;
}

export function itemPath(ns: string, key: string): string {
  return `/v1/namespaces/${encodeURIComponent(ns)}/items/${encodeURIComponent(key)}`;
}

export function nsPath(ns: string, rest: string): string {
  return `/v1/namespaces/${encodeURIComponent(ns)}/${rest}`;
}
