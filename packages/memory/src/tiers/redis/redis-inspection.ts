import { Cluster } from "ioredis";
import type { RedisClient } from "./redis-client.ts";
import { redisFault } from "./redis-faults.ts";
import { FORMAT_VERSION } from "./redis-names.ts";
import type { RedisFault } from "./redis-faults.ts";

/** What a look at a Redis found. */
export interface Inspection {
  /** Why it cannot be used, and the remedy. */
  readonly refusal: RedisFault | undefined;
  /** What is unwise though it works. */
  readonly warning: string | undefined;
  /** Nothing new is kept for want of room; what is there can be read. */
  readonly isFull: boolean;
  readonly usedBytes: number;
  readonly maxBytes: number;
}

const OLDEST = [6, 2] as const;
const PROBE_LIFE_MS = 1000;

/** INFO as name → value; empty where the user may not ask. */
async function readInfo(client: RedisClient): Promise<ReadonlyMap<string, string>> {
  try {
    const reply = String(await client.call("info"));
    return new Map(
      reply.split("\r\n").flatMap((line): [string, string][] => {
        const colon = line.indexOf(":");
        return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
      }),
    );
  } catch (error) {
    // It only tells more than we must know: managed services and ACLs may refuse it.
    if (redisFault(error).kind === "noperm" || redisFault(error).kind === "refused")
      return new Map();
    throw error;
  }
}

function refusal(reason: string): RedisFault {
  return { kind: "refused", reason, away: false, cause: undefined };
}

function judgeInfo(info: ReadonlyMap<string, string>, isCluster: boolean): RedisFault | undefined {
  const version = info.get("redis_version");
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  if (version !== undefined && (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])))
    return refusal(
      `it is version ${version}; Redis ${OLDEST.join(".")} or later, or Valkey, is needed`,
    );
  if (!isCluster && info.get("cluster_enabled") === "1") return redisFault(new Error("MOVED"));
  if (!isCluster && info.get("role") === "slave") return redisFault(new Error("READONLY"));
  return undefined;
}

function warningOf(info: ReadonlyMap<string, string>): string | undefined {
  const policy = info.get("maxmemory_policy");
  if (policy?.startsWith("allkeys-") !== true || info.get("maxmemory") === "0") return undefined;
  return `its maxmemory-policy ${policy} may evict ephemeral items before their time; where that matters set volatile-lru or noeviction`;
}

/** Every command that our reads, writes and scripts send, tried for permission on a key of ours. */
function probes(prefix: string): readonly (readonly [string, ...(string | number)[]])[] {
  const key = `${prefix}:${FORMAT_VERSION}:probe`;
  return [
    ["set", key, "1", "PX", PROBE_LIFE_MS],
    ["get", key],
    ["mget", key],
    ["getrange", key, 0, 0],
    ["setrange", key, 0, "1"],
    ["pexpire", key, PROBE_LIFE_MS],
    ["pttl", key],
    ["time"],
    ["eval", "return 1", 1, key],
    ["evalsha", "0".repeat(40), 1, key],
    ["publish", `${prefix}:bus:${FORMAT_VERSION}:probe`, ""],
    ["scan", 0, "COUNT", 1],
    ["del", key],
  ];
}

async function probe(
  client: RedisClient,
  [command, ...args]: readonly [string, ...(string | number)[]],
): Promise<RedisFault | undefined> {
  try {
    await client.call(command, ...args);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    if (message.includes("NOSCRIPT")) return undefined;
    if (/unknown command/i.test(message))
      return refusal(
        `it does not know the command ${command}; Redis 6.2 or later, or Valkey, is needed`,
      );
    const fault = redisFault(error);
    const isCommand = fault.kind === "noperm" && !/key|channel/i.test(message);
    return isCommand
      ? { ...fault, reason: `its ACL refuses the user the command ${command}; add +${command}` }
      : fault;
  }
}

/** Looks whether this Redis can do what is needed. Rejects when it does not answer. */
export async function inspectRedis(client: RedisClient, prefix: string): Promise<Inspection> {
  const isCluster = client instanceof Cluster;
  // Commands are refused while the connection to their node is being made, so all are made before.
  // One that does not answer must not keep the others from being used.
  if (isCluster) await Promise.allSettled(client.nodes("master").map((node) => node.call("time")));
  const info = await readInfo(client);
  const found = judgeInfo(info, isCluster);
  const faults =
    found === undefined
      ? await Promise.all(probes(prefix).map((each) => probe(client, each)))
      : [found];
  const away = faults.find((fault) => fault?.away === true);
  if (away !== undefined) throw away.cause;
  return {
    refusal: faults.find((fault) => fault !== undefined && fault.kind !== "oom"),
    warning: warningOf(info),
    isFull: faults.some((fault) => fault?.kind === "oom"),
    usedBytes: Number(info.get("used_memory") ?? 0),
    maxBytes: Number(info.get("maxmemory") ?? 0),
  };
}
