import { CachingEmbedder } from "../../recall/embedding/caching-embedder.ts";
import { openEmbedder } from "../../recall/embedding/open-embedder.ts";
import type { Embedder } from "../../recall/embedding/embedder.ts";
import type { VectorStore } from "../../recall/embedding/vector-store.ts";
import type { Core } from "../core.ts";
import { EphemeralStore } from "../ephemeral-store.ts";
import { LocalVectors } from "./local-vectors.ts";
import { SharedVectors } from "./shared-vectors.ts";

const BYTES_PER_MB = 1024 * 1024;
/** Share of process memory's size that cached vectors may take beside it. */
const VECTORS_SHARE = 0.1;

/** What search by meaning uses, and what must be told of a forget or clear. */
export interface RecallEmbedder {
  readonly embedder: Embedder;
  /** What it has cached; undefined where it caches nothing. */
  readonly cache: Pick<VectorStore, "clear" | "forget"> | undefined;
}

/**
 * The configured embedder, or the one given, over the cache of this memory. Without a cache where
 * several servers share the data and no tier: one of them could not make the others forget.
 */
export async function openRecallEmbedder(
  core: Core,
  seams: {
    readonly embedder?: Embedder;
    readonly onError?: (error: unknown) => void;
  },
): Promise<RecallEmbedder> {
  const { config, metrics } = core;
  const embedder = seams.embedder ?? (await openEmbedder(config.embeddings, core));
  const store = vectorStore(core, embedder);
  if (store === undefined) return { embedder, cache: undefined };
  const caching = new CachingEmbedder(embedder, {
    store,
    metrics,
    onError: seams.onError ?? (() => {}),
  });
  return { embedder: caching, cache: store };
}

function vectorStore(core: Core, { dimensions, seesMeaning }: Embedder): VectorStore | undefined {
  const { clock, config, ephemeral, shared } = core;
  const { cacheSeconds } = config.embeddings;
  // Vectors of words alone are made faster than they are looked up.
  if (cacheSeconds === 0 || !seesMeaning) return undefined;
  if (shared !== undefined) return new SharedVectors(core, shared, dimensions);
  if (ephemeral === undefined) return undefined;
  const maxBytes = Math.ceil(config.tiers.L1.maxSizeMb * BYTES_PER_MB * VECTORS_SHARE);
  const store = new EphemeralStore({ maxBytes, clock });
  return new LocalVectors({ store, dimensions, ttlSeconds: cacheSeconds, clock });
}
