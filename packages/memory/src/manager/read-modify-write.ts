import { MemoryError, VersionConflict } from "../model/errors.ts";
import type { JsonValue, Receipt } from "../model/item.ts";
import { refId } from "../tiers/tier.ts";
import type { Core } from "./core.ts";
import type { Memory, SetOptions } from "./memory.ts";

const ATTEMPTS_MAX = 100;
const BACKOFF_MS_FIRST = 1;
const BACKOFF_MS_MAX = 50;
const MS_PER_SECOND = 1000;

type Reading = Pick<Memory, "path" | "get" | "getItem" | "set">;

/** Waits a random while before the next try, so that contenders do not meet again and again. */
async function backOff(core: Core, attempt: number): Promise<void> {
  const mostMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** attempt);
  await core.clock.sleep(core.random() * mostMs);
}

/** Reads the newest, applies `fn`, writes if nobody wrote meanwhile; else again. */
export async function updateItem<T>(
  memory: Reading,
  core: Core,
  request: {
    readonly key: string;
    readonly fn: (current: T | undefined) => T | undefined | Promise<T | undefined>;
    readonly options: SetOptions;
  },
): Promise<Receipt | undefined> {
  const { key, fn, options } = request;
  for (let attempt = 0; ; attempt += 1) {
    const item = await memory.getItem<T>(key, { consistency: "latest" });
    const next = await fn(item?.value);
    if (next === undefined) return undefined;
    const kept: SetOptions =
      item === undefined
        ? {}
        : {
            metadata: item.metadata,
            tags: item.tags,
            ...(item.ttlSeconds === undefined
              ? {}
              : { ttlSeconds: Math.max(item.ttlSeconds, 1 / MS_PER_SECOND) }),
          };
    try {
      return await memory.set(key, next, {
        ...kept,
        ...options,
        ifVersion: item?.version ?? null,
      });
    } catch (error) {
      if (!(error instanceof VersionConflict) || attempt + 1 >= ATTEMPTS_MAX) throw error;
      await backOff(core, attempt);
    }
  }
}

/**
 * The item, or what `loader` gives, stored only if still nothing is there: a slow loader never
 * replaces what somebody wrote meanwhile. Callers in this process share one call of the loader.
 */
export async function loadOnce<T>(
  memory: Reading,
  core: Core,
  request: {
    readonly key: string;
    readonly loader: () => Promise<T> | T;
    readonly options: SetOptions;
  },
): Promise<T> {
  const { key, loader, options } = request;
  const found = await memory.get<T>(key);
  if (found !== undefined) return found;
  const id = refId({ namespace: memory.path, key });
  return core.flights.run(id, async () => {
    // Somebody may have finished loading since this caller looked.
    const current = await memory.get<T>(key);
    if (current !== undefined) return current;
    const loaded = await loader();
    if (loaded === undefined)
      throw new MemoryError(
        "INVALID_VALUE",
        "loader: returned undefined; return null to store nothing",
        {
          field: "loader",
        },
      );
    try {
      await memory.set(key, loaded, { ...options, ifVersion: null });
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      const winner = await memory.get<T>(key, { consistency: "latest" });
      if (winner !== undefined) return winner;
    }
    return ((await memory.get<T>(key)) ?? loaded) satisfies T | JsonValue as T;
  });
}
