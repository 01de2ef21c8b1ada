import { Redis } from "ioredis";
import type { RedisOptions } from "ioredis";

const CONNECT_TIMEOUT_MS = 2_000;
const COMMAND_TIMEOUT_MS = 10_000;

/** Where a server is and how it is spoken to. */
export type ClientOptions = Pick<RedisOptions, "password" | "tls"> & { readonly port: number };

export type RedisReply = string | number | null | readonly RedisReply[];

/** Sends one command over a connection of its own: slow, and nothing of it is left behind. */
export async function sendOnce(
  options: ClientOptions,
  command: readonly [string, ...(string | number)[]],
): Promise<RedisReply> {
  const client = new Redis({
    host: "127.0.0.1",
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: null,
    enableReadyCheck: false,
    protocol: 2,
    ...options,
  });
  client.on("error", () => {});
  try {
    const [name, ...args] = command;
    // A reply is made of these alone under RESP2.
    return (await client.call(name, ...args)) as RedisReply;
  } finally {
    client.disconnect();
  }
}

/** Whether a server answers, be it with an error. */
export async function answers(options: ClientOptions): Promise<boolean> {
  try {
    await sendOnce(options, ["PING"]);
    return true;
  } catch (error) {
    return error instanceof Error && /^(NOAUTH|NOPERM|WRONGPASS)/.test(error.message);
  }
}
