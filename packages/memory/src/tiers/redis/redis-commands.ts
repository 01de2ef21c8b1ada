import type { Redis } from "ioredis";
import type { RedisClient } from "./redis-client.ts";
import type { RedisScript } from "./scripts.ts";

export type Argument = string | number | Buffer;

/** Runs a script by its hash, and once more in full where Redis does not know it: it then did nothing. */
export async function evaluate(
  client: RedisClient,
  script: RedisScript,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<unknown> {
  const rest = [keys.length, ...keys, ...args];
  try {
    return await client.callBuffer("evalsha", script.sha, ...rest);
  } catch (error) {
    if (!(error instanceof Error && error.message.includes("NOSCRIPT"))) throw error;
    return client.callBuffer("eval", script.lua, ...rest);
  }
}

/** The values in the order of the names; null where there is none, or where it is no text: GET would fail. */
export function readValues(
  client: RedisClient,
  names: readonly string[],
): Promise<readonly (Buffer | null)[]> {
  return client.mgetBuffer(...names);
}

export interface ScanPage {
  readonly cursor: string;
  readonly names: readonly string[];
}

export async function scanPage(
  client: Redis,
  cursor: string,
  options: { readonly pattern: string; readonly count: number },
): Promise<ScanPage> {
  const [next, names] = await client.scan(cursor, "MATCH", options.pattern, "COUNT", options.count);
  return { cursor: next, names };
}

/** Whole numbers of a script's answer; Lua answers one for each key. */
export function numbers(reply: unknown): readonly number[] {
  return Array.isArray(reply) ? reply.map(Number) : [];
}
