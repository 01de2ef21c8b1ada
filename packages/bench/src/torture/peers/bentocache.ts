import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { redisBusDriver, redisDriver } from "bentocache/drivers/redis";
import { LIFETIME_MS } from "./peer-cache.ts";
import type { PeerCache } from "./peer-cache.ts";
import { peerSubject } from "./peer-subject.ts";
import type { Entry } from "./truth.ts";

const ITEMS_MAX = 10_000;

/** As its documentation shows it: memory, Redis and a bus. */
async function makeBentocache(redisUrl: string): Promise<PeerCache> {
  const { hostname: host, port } = new URL(redisUrl);
  const connection = { host, port: Number(port) };
  const store = bentostore({ ttl: LIFETIME_MS })
    .useL1Layer(memoryDriver({ maxItems: ITEMS_MAX }))
    .useL2Layer(redisDriver({ connection }))
    .useBus(redisBusDriver({ connection }));
  const cache = new BentoCache({ default: "tiered", stores: { tiered: store } });
  return {
    read: async (key, load) => cache.getOrSet<Entry>({ key, factory: load }),
    written: async (key, entry) => {
      await cache.set({ key, value: entry });
    },
    removed: async (key) => {
      await cache.delete({ key });
    },
    close: () => cache.disconnectAll(),
  };
}

export const bentocacheSubject = peerSubject(makeBentocache);
