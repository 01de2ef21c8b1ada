import { createCache } from "cache-manager";
import { Keyv } from "cacheable";
import { LIFETIME_MS } from "./peer-cache.ts";
import type { PeerCache } from "./peer-cache.ts";
import { peerSubject } from "./peer-subject.ts";
import { RedisStore } from "./redis-store.ts";
import type { Entry } from "./truth.ts";

/** Memory before Redis; it has no bus. */
async function makeCacheManager(redisUrl: string): Promise<PeerCache> {
  const store = new RedisStore(redisUrl);
  const cache = createCache({ stores: [new Keyv(), new Keyv({ store })], ttl: LIFETIME_MS });
  return {
    read: (key, load) => cache.wrap<Entry>(key, load),
    written: async (key, entry) => {
      await cache.set(key, entry);
    },
    removed: async (key) => {
      await cache.del(key);
    },
    close: () => store.disconnect(),
  };
}

export const cacheManagerSubject = peerSubject(makeCacheManager);
