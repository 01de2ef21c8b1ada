import { Redis } from "ioredis";

/** What Keyv takes as a store: text under keys in Redis. */
export class RedisStore {
  readonly #client: Redis;

  constructor(redisUrl: string) {
    this.#client = new Redis(redisUrl);
    this.#client.on("error", () => {
      // It connects again by itself.
    });
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#client.get(key)) ?? undefined;
  }

  async set(key: string, value: string, ttlMs?: number): Promise<boolean> {
    if (ttlMs === undefined) await this.#client.set(key, value);
    else await this.#client.set(key, value, "PX", Math.ceil(ttlMs));
    return true;
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#client.del(key)) > 0;
  }

  async clear(): Promise<void> {}

  async disconnect(): Promise<void> {
    this.#client.disconnect();
  }
}
