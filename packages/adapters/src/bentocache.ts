import { MemoryError, VersionConflict } from "@cherry-ai/memory";
import type { Memory } from "@cherry-ai/memory";
import { BaseDriver } from "bentocache/drivers/base_driver";
import type { CreateDriverResult, L2CacheDriver } from "bentocache/types";
import { pieces, runInBatches, throwFirstFailure } from "./batches.ts";
import { pathOf, placeOf } from "./prefix-path.ts";

const DEFAULT_NAMESPACE = ["bentocache"];
const MS_PER_SECOND = 1000;
/** Tries of a pull whose item others keep changing between its read and its delete. */
const PULL_TRIES_MAX = 20;
/** Namespaces that one `deleteMany` works on at once. */
const NAMESPACES_AT_ONCE = 8;

export interface CherryDriverOptions {
  readonly memory: Memory;
  /**
   * Where the entries are, below the given memory; default `["bentocache"]`. Nothing else should be
   * kept there: clearing a cache without a prefix empties it.
   */
  readonly namespace?: readonly string[];
  /** Given by bentocache. */
  readonly prefix?: string;
}

/** A memory as the second layer of a bentocache: `bentostore().useL2Layer(cherryDriver({ memory }))`. */
export function cherryDriver(options: CherryDriverOptions): CreateDriverResult<CherryDriver> {
  return { options, factory: (config: CherryDriverOptions) => new CherryDriver(config) };
}

/** The driver itself. A prefix is a namespace of the memory, with what lies below it. */
export class CherryDriver extends BaseDriver implements L2CacheDriver {
  readonly type = "l2";
  readonly #options: CherryDriverOptions;
  readonly #base: Memory;
  /** Of this driver's prefix. */
  readonly #path: readonly string[];

  constructor(options: CherryDriverOptions) {
    super(options);
    this.#options = options;
    this.#base = options.memory.namespace(options.namespace ?? DEFAULT_NAMESPACE);
    this.#path = pathOf(this.prefix);
  }

  namespace(namespace: string): CherryDriver {
    return new CherryDriver({ ...this.#options, prefix: this.createNamespacePrefix(namespace) });
  }

  async get(key: string): Promise<string | undefined> {
    const place = placeOf(this.getItemKey(key));
    return textOf(key, await this.#space(place.path).get<unknown>(place.key));
  }

  /** The value goes to one caller alone: the delete is for the version that was read. */
  async pull(key: string): Promise<string | undefined> {
    const place = placeOf(this.getItemKey(key));
    const space = this.#space(place.path);
    for (let tries = 1; ; tries += 1) {
      const item = await space.getItem<unknown>(place.key, { consistency: "latest" });
      if (item === undefined) return undefined;
      try {
        await space.delete(place.key, { ifVersion: item.version });
        return textOf(key, item.value);
      } catch (error) {
        if (!(error instanceof VersionConflict) || tries === PULL_TRIES_MAX) throw error;
      }
    }
  }

  /** `ttl` in milliseconds; undefined or 0 = for ever. Kept out of search. */
  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    const { path, key: stored, metadata } = placeOf(this.getItemKey(key));
    await this.#space(path).set(stored, value, {
      index: false,
      embed: false,
      ...(metadata === undefined ? {} : { metadata }),
      ...(ttl === undefined || ttl === 0 ? {} : { ttlSeconds: ttl / MS_PER_SECOND }),
    });
    return true;
  }

  /** Empties the prefix and all prefixes below it, by one write. */
  async clear(): Promise<void> {
    await this.#space(this.#path).clear({ below: true });
  }

  /** Whether it existed, decided by the authority. */
  async delete(key: string): Promise<boolean> {
    const place = placeOf(this.getItemKey(key));
    return (await this.#space(place.path).delete(place.key)).existed;
  }

  /** True once all are gone; one that cannot be deleted is thrown. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const places = keys.map((key) => placeOf(this.getItemKey(key)));
    const byPath = Map.groupBy(places, ({ path }) => path.join("/"));
    for (const some of pieces([...byPath.values()], NAMESPACES_AT_ONCE)) {
      await Promise.all(
        some.map(async (group) => {
          const operations = group.map(({ key }) => ({ type: "delete", key }) as const);
          const path = group[0]?.path ?? [];
          throwFirstFailure(await runInBatches(this.#space(path), operations));
        }),
      );
    }
    return true;
  }

  /** Leaves the memory open: whoever opened it closes it. */
  async disconnect(): Promise<void> {}

  #space(path: readonly string[]): Memory {
    return path.length === 0 ? this.#base : this.#base.namespace(path);
  }
}

/** Bentocache stores text alone; anything else was put there by somebody else. */
function textOf(key: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new MemoryError(
    "INVALID_VALUE",
    `key ${JSON.stringify(key)}: expected the text that bentocache stored, found ${typeof value}; keep the driver's namespace to itself`,
    { field: "key" },
  );
}
