import { BasicClientSideCache, createClient } from "redis";
import { LIFETIME_MS } from "./peer-cache.ts";
import type { PeerCache } from "./peer-cache.ts";
import { peerSubject } from "./peer-subject.ts";
import type { Entry } from "./truth.ts";

/** The client's own cache, which Redis tells of what changed. */
async function makeNodeRedis(redisUrl: string): Promise<PeerCache> {
  const client = createClient({
    url: redisUrl,
    RESP: 3,
    clientSideCache: new BasicClientSideCache({}),
  });
  client.on("error", () => {
    // It connects again by itself.
  });
  await client.connect();
  const keep = async (key: string, entry: Entry): Promise<void> => {
    await client.set(key, JSON.stringify(entry), {
      expiration: { type: "PX", value: LIFETIME_MS },
    });
  };
  return {
    read: async (key, load) => {
      const kept = await client.get(key);
      // Only what is kept here is read here.
      if (kept !== null) return JSON.parse(kept) as Entry;
      const entry = await load();
      await keep(key, entry);
      return entry;
    },
    written: keep,
    removed: async (key) => {
      await client.del(key);
    },
    close: async () => {
      client.destroy();
    },
  };
}

export const nodeRedisSubject = peerSubject(makeNodeRedis);
