import { isAbsolute } from "node:path";
import { MemoryError } from "../../model/errors.ts";

/** Where a database is, without its password. */
export interface PgTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

const DEFAULT_PORT = 5432;

/** Reads the address out of a postgres:// URL. What is left out is what the driver assumes too. */
export function parseTarget(url: string): PgTarget {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    // The cause would repeat the URL, and with it the password.
    throw new MemoryError(
      "INVALID_CONFIG",
      `the database URL cannot be read (${cause instanceof Error ? cause.name : "error"}); expected postgres://user@host:port/database`,
      { field: "DATABASE_URL" },
    );
  }
  const host = parsed.searchParams.get("host") ?? decodeURIComponent(parsed.hostname);
  const user = decodeURIComponent(parsed.username);
  const database = decodeURIComponent(parsed.pathname.replace(/^\//, ""));
  return {
    // An IPv6 address stands in brackets in a URL only.
    host: (host === "" ? "localhost" : host).replace(/^\[(.*)\]$/, "$1"),
    port: parsed.port === "" ? DEFAULT_PORT : Number(parsed.port),
    database: database === "" ? user : database,
  };
}

/** `db:5432/cherry`, for people. */
export function describeTarget(target: PgTarget): string {
  if (isAbsolute(target.host)) return `${target.host}/${target.database}`;
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${host}:${target.port}/${target.database}`;
}

/** What to connect to: a TCP address, or the socket file where the host is a folder. */
export function socketAddress(
  target: PgTarget,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  return isAbsolute(target.host)
    ? { path: `${target.host}/.s.PGSQL.${target.port}` }
    : { host: target.host, port: target.port };
}
