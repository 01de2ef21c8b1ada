import { execFileSync } from "node:child_process";

function programPath(name: string): string | undefined {
  try {
    const script = `command -v ${name} || ls /usr/bin/${name} /usr/local/bin/${name} | head -n 1`;
    const path = execFileSync("/bin/sh", ["-c", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    return path === "" ? undefined : path;
  } catch {
    // Not installed.
    return undefined;
  }
}

let found: string | undefined;

/** The server's program, or undefined. */
export function findRedis(): string | undefined {
  found ??= programPath("redis-server");
  return found;
}

/** undefined when `startRedis` and its like can work on this machine, otherwise why not. */
export function redisAvailable(): string | undefined {
  return findRedis() === undefined
    ? "no redis-server on PATH (Debian: apt-get install redis-server)"
    : undefined;
}

/** What makes certificates, or undefined. */
export function findOpenssl(): string | undefined {
  return programPath("openssl");
}

/** undefined when `startRedis({ tls: true })` can work on this machine, otherwise why not. */
export function redisTlsAvailable(): string | undefined {
  if (findOpenssl() === undefined) return "no openssl on PATH (Debian: apt-get install openssl)";
  return redisAvailable();
}
