import { MemoryError } from "../../model/errors.ts";

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Where a Redis is and who we are there. */
export interface RedisTarget {
  readonly mode: "single" | "cluster" | "sentinel";
  readonly tls: boolean;
  readonly nodes: readonly RedisNode[];
  /** Sentinels only: what they call the master. */
  readonly masterName: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly options: RedisUrlOptions;
}

/** What may stand after `?`. Files are PEM. */
export interface RedisUrlOptions {
  /** Authority that signed the server's certificate, where the system does not know it. */
  readonly ca?: string;
  /** Certificate and key that the server asks of its clients. */
  readonly cert?: string;
  readonly key?: string;
  /** The name in the server's certificate, where it is not the host's. */
  readonly servername?: string;
  /** The sentinels' own user and password. */
  readonly sentinelUser?: string;
  readonly sentinelPassword?: string;
}

const OPTION_NAMES = [
  "ca",
  "cert",
  "key",
  "servername",
  "sentinelUser",
  "sentinelPassword",
] as const;
const EXPECTED =
  "redis://[user:password@]host[:port][/db], redis-cluster://host:port,host:port or redis-sentinel://host:port,host:port/masterName[/db]; rediss://, rediss-cluster:// and rediss-sentinel:// for TLS";
const SHAPE =
  /^redis(?<tls>s?)(?:-(?<mode>cluster|sentinel))?:\/\/(?:(?<user>[^@/?#]*)@)?(?<hosts>[^@/?#]*)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<name>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?$/;
const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;
const PORT_MAX = 65_535;

/** Never repeats the URL: there may be a password in it. */
function refuse(fault: string): MemoryError {
  return new MemoryError("INVALID_CONFIG", `REDIS_URL ${fault}; expected ${EXPECTED}`, {
    field: "REDIS_URL",
  });
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse(`has a ${what} with a % that is no percent-encoding (write % as %25)`);
  }
}

/** What the URL says, with the defaults filled in; INVALID_CONFIG where it says nothing sensible. */
export function parseRedisUrl(url: string): RedisTarget {
  const groups = SHAPE.exec(url.trim())?.groups;
  if (groups === undefined) throw refuse("cannot be read");
  const mode = targetMode(groups["mode"]);
  const [username, password] = credentials(groups["user"]);
  return {
    mode,
    tls: groups["tls"] === "s",
    nodes: nodes(groups["hosts"] ?? "", mode),
    username,
    password,
    ...place(groups["path"] ?? "", mode),
    options: options(groups["query"] ?? ""),
  };
}

function targetMode(text: string | undefined): RedisTarget["mode"] {
  return text === "cluster" || text === "sentinel" ? text : "single";
}

function credentials(text: string | undefined): [string | undefined, string | undefined] {
  if (text === undefined || text === "") return [undefined, undefined];
  const colon = text.indexOf(":");
  const user = decode(colon === -1 ? text : text.slice(0, colon), "user");
  const password = colon === -1 ? "" : decode(text.slice(colon + 1), "password");
  return [user === "" ? undefined : user, password === "" ? undefined : password];
}

function nodes(text: string, mode: RedisTarget["mode"]): RedisNode[] {
  const hosts = text.split(",");
  if (mode === "single" && hosts.length > 1)
    throw refuse("names several hosts, which redis:// does not take");
  return hosts.map((part) => {
    const groups = HOST.exec(part)?.groups;
    const host = groups?.["six"] ?? groups?.["name"];
    if (groups === undefined || host === undefined)
      throw refuse(part === "" ? "names no host" : "has a host that cannot be read");
    const standard = mode === "sentinel" ? DEFAULT_SENTINEL_PORT : DEFAULT_PORT;
    const port = groups["port"] === undefined ? standard : Number(groups["port"]);
    if (port < 1 || port > PORT_MAX) throw refuse(`has port ${port}, beyond 1 to ${PORT_MAX}`);
    return { host, port };
  });
}

function place(path: string, mode: RedisTarget["mode"]): Pick<RedisTarget, "masterName" | "db"> {
  const parts = path === "" ? [] : path.split("/").map((part) => decode(part, "path"));
  const masterName = mode === "sentinel" ? parts.shift() : undefined;
  if (mode === "sentinel" && (masterName === undefined || masterName === ""))
    throw refuse("names no master, which sentinels need after the hosts");
  const [db = "", ...more] = parts;
  if (more.length > 0) throw refuse("has more after the hosts than can be read");
  if (mode === "cluster" && db !== "" && db !== "0")
    throw refuse("asks for a database by number, and a cluster has database 0 only");
  if (!/^\d{0,5}$/.test(db)) throw refuse("has a database that is no number");
  return { masterName, db: Number(db) };
}

function options(query: string): RedisUrlOptions {
  const found: { [name in (typeof OPTION_NAMES)[number]]?: string } = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const known = OPTION_NAMES.find((option) => option === name);
    if (known === undefined)
      throw refuse(
        `has an unknown option ${JSON.stringify(name)} (known: ${OPTION_NAMES.join(", ")})`,
      );
    found[known] = value;
  }
  return found;
}

/** `cache:6379`, for people; no user, no password. */
export function describeTarget(target: RedisTarget): string {
  const hosts = target.nodes.map(({ host, port }) =>
    host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
  );
  const name = target.masterName === undefined ? "" : ` (sentinels of ${target.masterName})`;
  return `${hosts.join(",")}${target.db === 0 ? "" : `/${target.db}`}${name}`;
}
