import { opensslAvailable } from "../certificates.ts";
import { findProgram } from "../program.ts";

let found: string | undefined;

/** The server's program, or undefined. */
export function findRedis(): string | undefined {
  found ??= findProgram("redis-server");
  return found;
}

/** undefined when `startRedis` and its like can work on this machine, otherwise why not. */
export function redisAvailable(): string | undefined {
  return findRedis() === undefined
    ? "no redis-server on PATH (Debian: apt-get install redis-server)"
    : undefined;
}

/** undefined when `startRedis({ tls: true })` can work on this machine, otherwise why not. */
export function redisTlsAvailable(): string | undefined {
  return opensslAvailable() ?? redisAvailable();
}
