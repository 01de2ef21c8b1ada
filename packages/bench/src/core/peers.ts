/** The caches that are measured beside ours: 1,000 items of 1 KB in each, read from process memory. */
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { createCache } from "cache-manager";
import { Cacheable } from "cacheable";
import { Keyv } from "keyv";
import { LRUCache } from "lru-cache";
import type { ContenderFactory, Contenders } from "../harness/contender.ts";
import { awaitedReads, synchronousReads } from "./read-loops.ts";
import { HOT_ITEMS, makeKeys, makeTurn } from "./workload.ts";
import type { Turn } from "./workload.ts";

const CAPACITY = 4096;

/** What a peer must offer to be filled and read. */
interface PeerCache {
  set(key: string, value: Turn): Promise<unknown>;
  get(key: string): Promise<Turn | undefined>;
  close(): Promise<unknown> | undefined;
}

async function filled(peer: PeerCache): Promise<readonly string[]> {
  const keys = makeKeys(HOT_ITEMS);
  for (const [index, key] of keys.entries()) await peer.set(key, makeTurn(index));
  for (const [index, key] of keys.entries())
    if ((await peer.get(key))?.turn !== index) throw new Error(`${key} was not kept`);
  return keys;
}

/** `read` is the peer's own method, bound: nothing of ours stands between the loop and the peer. */
async function awaited(
  peer: PeerCache,
  read: (key: string) => Promise<Turn | undefined>,
): ReturnType<ContenderFactory> {
  const keys = await filled(peer);
  return awaitedReads({ keys, read, close: async () => void (await peer.close()) });
}

const lruCache: ContenderFactory = async () => {
  const cache = new LRUCache<string, Turn>({ max: CAPACITY });
  const keys = makeKeys(HOT_ITEMS);
  for (const [index, key] of keys.entries()) cache.set(key, makeTurn(index));
  return synchronousReads({ keys, read: (key) => cache.get(key), close: () => cache.clear() });
};

/** The price of knowing the time, which every check of a deadline pays. */
const monotonicClock: ContenderFactory = async () => ({
  run: (operations) => {
    let sum = 0;
    for (let operation = 0; operation < operations; operation += 1) sum += performance.now();
    return sum;
  },
  close: () => {},
});

const asyncMap: ContenderFactory = async () => {
  const map = new Map<string, Turn>();
  const get = async (key: string): Promise<Turn | undefined> => map.get(key);
  const set = async (key: string, value: Turn): Promise<unknown> => map.set(key, value);
  return awaited({ get, set, close: () => undefined }, get);
};

const cacheManager: ContenderFactory = async () => {
  const cache = createCache();
  const get = (key: string): Promise<Turn | undefined> => cache.get<Turn>(key);
  const set = (key: string, value: Turn): Promise<unknown> => cache.set(key, value);
  return awaited({ get, set, close: () => cache.disconnect() }, get);
};

/** `serialize: false` keeps objects and is its faster mode; `true` (its default) parses on each hit. */
const bentoCache: ContenderFactory = async ({ serialize }) => {
  const store = bentostore().useL1Layer(
    memoryDriver({ serialize: serialize === true, maxItems: CAPACITY }),
  );
  const cache = new BentoCache({ default: "memory", stores: { memory: store } });
  const get = (key: string): Promise<Turn | undefined> => cache.get<Turn>({ key });
  const set = (key: string, value: Turn): Promise<unknown> => cache.set({ key, value });
  return awaited({ get, set, close: () => cache.disconnectAll() }, get);
};

const cacheable: ContenderFactory = async () => {
  const cache = new Cacheable();
  const get = (key: string): Promise<Turn | undefined> => cache.get<Turn>(key);
  const set = (key: string, value: Turn): Promise<unknown> => cache.set(key, value);
  return awaited({ get, set, close: () => cache.disconnect() }, get);
};

const keyv: ContenderFactory = async () => {
  const cache = new Keyv();
  const get = (key: string): Promise<Turn | undefined> => cache.get<Turn>(key);
  const set = (key: string, value: Turn): Promise<unknown> => cache.set(key, value);
  return awaited({ get, set, close: () => cache.disconnect() }, get);
};

export const contenders: Contenders = {
  "lru-cache": lruCache,
  "monotonic clock": monotonicClock,
  "async Map": asyncMap,
  "cache-manager": cacheManager,
  bentocache: bentoCache,
  cacheable,
  keyv,
};
