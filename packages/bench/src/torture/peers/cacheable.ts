import { RedisMessageProvider } from "@qified/redis";
import { Cacheable, Keyv } from "cacheable";
import { LIFETIME_MS } from "./peer-cache.ts";
import type { PeerCache } from "./peer-cache.ts";
import { peerSubject } from "./peer-subject.ts";
import { RedisStore } from "./redis-store.ts";
import type { Entry } from "./truth.ts";

/** Memory before Redis, synchronized over the provider for Redis of its own makers. */
async function makeCacheable(redisUrl: string): Promise<PeerCache> {
  const cache = new Cacheable({
    ttl: LIFETIME_MS,
    secondary: new Keyv({ store: new RedisStore(redisUrl) }),
    sync: { qified: new RedisMessageProvider({ uri: redisUrl }) },
  });
  cache.on("error", () => {
    // Told here, and of no use to a caller.
  });
  return {
    read: async (key, load) => {
      const entry = await cache.getOrSet<Entry>(key, load);
      if (entry === undefined) throw new Error("the loader failed");
      return entry;
    },
    written: async (key, entry) => {
      await cache.set(key, entry);
    },
    removed: async (key) => {
      await cache.delete(key);
    },
    close: () => cache.disconnect(),
  };
}

export const cacheableSubject = peerSubject(makeCacheable);
