import type { Collection, WeaviateClient } from "weaviate-client";
import { MemoryError } from "../../model/errors.ts";
import { BM25_B, BM25_K1 } from "../../recall/keyword/bm25.ts";
import { checkIndex, missingIndex, refuseOther } from "../index-version.ts";
import type { IndexVersion } from "../vector.ts";
import type { WeaviateConnection } from "./weaviate-connection.ts";
import { unlessFault } from "./weaviate-faults.ts";

/** What Weaviate takes at most. */
export const DIMENSIONS_MAX = 65_535;

/** What lies beside a vector. Absent where there is nothing: an empty list has no type there. */
export type EntryProperties = {
  readonly namespace: string;
  readonly key: string;
  readonly itemVersion: number;
  readonly facets?: string[];
  readonly atMs?: number;
  /** Analysed, separated by blanks, and taken as they are. */
  readonly terms?: string;
};

export type NamespaceProperties = { readonly path: string };

export type EntryCollection = Collection<EntryProperties, string>;
export type NamespaceCollection = Collection<NamespaceProperties, string>;

/** A change that older servers could not live with. */
const FORMAT = 1;

const NO_INDEX = { indexFilterable: false, indexSearchable: false } as const;

/** Of a collection of entries; a later release adds to it, and takes nothing away. */
const ENTRY_PROPERTIES = [
  { name: "namespace", dataType: "text", tokenization: "field", ...NO_INDEX },
  { name: "key", dataType: "text", tokenization: "field", ...NO_INDEX },
  { name: "itemVersion", dataType: "number", indexFilterable: true },
  {
    name: "facets",
    dataType: "text[]",
    tokenization: "field",
    indexFilterable: true,
    indexSearchable: false,
  },
  { name: "atMs", dataType: "number", indexFilterable: false, indexRangeFilters: true },
  {
    name: "terms",
    dataType: "text",
    tokenization: "whitespace",
    indexFilterable: false,
    indexSearchable: true,
  },
] as const;

export interface CollectionsOptions {
  /** First part of every collection's name, so that several memories may share a Weaviate. */
  readonly prefix: string;
  readonly replicationFactor: number;
}

const CACHED_MAX = 64;
const LIMIT = {
  dimensionsMax: DIMENSIONS_MAX,
  where: "Weaviate",
  remedy: "choose a shorter model",
};

/** The collections: one an index version, and one that lists the namespaces. */
export class Collections {
  readonly #connection: WeaviateConnection;
  readonly #options: CollectionsOptions;
  readonly #known = new Map<number, IndexVersion>();
  #hasNamespaces = false;

  constructor(connection: WeaviateConnection, options: CollectionsOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  entriesOf(client: WeaviateClient, number: number): EntryCollection {
    return client.collections.use<string, EntryProperties>(this.#nameOf(number));
  }

  namespacesOf(client: WeaviateClient): NamespaceCollection {
    return client.collections.use<string, NamespaceProperties>(this.#namespacesName);
  }

  /** By number; fresh, for another server may have made one. */
  list(): Promise<readonly IndexVersion[]> {
    return this.#connection.run("get", async (client) => {
      const all = await client.collections.listAll();
      const found = all.flatMap(({ name, description }) => {
        const index = this.#indexOf(name, description);
        return index === undefined ? [] : [index];
      });
      return found.toSorted((a, b) => a.number - b.number);
    });
  }

  /** NOT_FOUND where there is none. */
  async get(number: number): Promise<IndexVersion> {
    const known = this.#known.get(number) ?? (await this.#read(number));
    if (known === undefined) throw missingIndex(number);
    if (this.#known.size >= CACHED_MAX) this.#known.clear();
    this.#known.set(number, known);
    return known;
  }

  forget(number: number): void {
    this.#known.delete(number);
  }

  async ensure(index: IndexVersion): Promise<void> {
    checkIndex(index, LIMIT);
    await this.#ensureNamespaces();
    const there = (await this.#read(index.number)) ?? (await this.#make(index));
    if (there === undefined)
      throw new MemoryError(
        "INVALID_CONFIG",
        `Weaviate has a collection ${this.#nameOf(index.number)} that is not ours; remove it, or set CHERRY_WEAVIATE_PREFIX to another prefix`,
        { field: "CHERRY_WEAVIATE_PREFIX" },
      );
    refuseOther(index, there);
    await this.#migrate(index.number);
  }

  async drop(number: number): Promise<void> {
    this.forget(number);
    if ((await this.#read(number)) === undefined) return;
    const name = this.#nameOf(number);
    await this.#connection.run("delete", (client) =>
      unlessFault(["no collection"], client.collections.delete(name), () => undefined),
    );
  }

  /**
   * Weaviate makes a collection for whatever is inserted, where there is none: after an index version was
   * dropped elsewhere, an empty one of the same name. It goes again.
   */
  async removeStray(number: number): Promise<void> {
    this.forget(number);
    await this.#connection.run("delete", async (client) => {
      const name = this.#nameOf(number);
      const config = await unlessFault(
        ["no collection"],
        client.collections.use(name).config.get(),
        () => undefined,
      );
      const isStray = config?.description?.includes("auto-schema") === true;
      if (isStray) await client.collections.delete(name);
    });
  }

  /** Ours by name and by what it says of itself; undefined: there is none. */
  #read(number: number): Promise<IndexVersion | undefined> {
    const name = this.#nameOf(number);
    return this.#connection.run("get", async (client) => {
      const config = await unlessFault(
        ["no collection"],
        client.collections.use(name).config.get(),
        () => undefined,
      );
      return config === undefined ? undefined : this.#indexOf(name, config.description);
    });
  }

  /** What is there afterwards, made by us or by another server. */
  async #make(index: IndexVersion): Promise<IndexVersion | undefined> {
    const { number, model, dimensions } = index;
    const { replicationFactor } = this.#options;
    await this.#connection.run("set", async (client) => {
      const { default: weaviate } = await import("weaviate-client");
      const { configure } = weaviate;
      const made = client.collections.create({
        name: this.#nameOf(number),
        description: JSON.stringify({ format: FORMAT, model, dimensions }),
        properties: ENTRY_PROPERTIES.map((property) => ({ ...property })),
        vectorizers: configure.vectors.selfProvided({
          vectorIndexConfig: configure.vectorIndex.hnsw({ distanceMetric: "cosine" }),
        }),
        invertedIndex: configure.invertedIndex({
          bm25b: BM25_B,
          bm25k1: BM25_K1,
          // The analyser has left them out already.
          stopwordsPreset: "none",
        }),
        multiTenancy: configure.multiTenancy({
          enabled: true,
          autoTenantActivation: true,
          autoTenantCreation: false,
        }),
        replication: configure.replication({ factor: replicationFactor }),
      });
      await unlessFault(["taken"], made, () => undefined);
    });
    return this.#read(number);
  }

  /** Adds what a newer release has and the collection lacks. */
  #migrate(number: number): Promise<void> {
    return this.#connection.run("set", async (client) => {
      const { config } = client.collections.use(this.#nameOf(number));
      const there = new Set((await config.get()).properties.map(({ name }) => name));
      for (const property of ENTRY_PROPERTIES) {
        if (there.has(property.name)) continue;
        await unlessFault(["taken"], config.addProperty({ ...property }), () => undefined);
      }
    });
  }

  async #ensureNamespaces(): Promise<void> {
    if (this.#hasNamespaces) return;
    const { replicationFactor } = this.#options;
    await this.#connection.run("set", async (client) => {
      const name = this.#namespacesName;
      if (await client.collections.exists(name)) return;
      const { default: weaviate } = await import("weaviate-client");
      const { configure } = weaviate;
      const made = client.collections.create({
        name,
        description: JSON.stringify({ format: FORMAT }),
        properties: [
          { name: "path", dataType: "text", tokenization: "field", indexSearchable: false },
        ],
        vectorizers: configure.vectors.selfProvided({
          vectorIndexConfig: configure.vectorIndex.flat(),
        }),
        replication: configure.replication({ factor: replicationFactor }),
      });
      await unlessFault(["taken"], made, () => undefined);
    });
    this.#hasNamespaces = true;
  }

  #nameOf(number: number): string {
    return `${this.#options.prefix}Vectors${number}`;
  }

  get #namespacesName(): string {
    return `${this.#options.prefix}Namespaces`;
  }

  #indexOf(name: string, description: string | undefined): IndexVersion | undefined {
    const start = `${this.#options.prefix}Vectors`;
    const digits = name.startsWith(start) ? name.slice(start.length) : "";
    if (!/^[1-9][0-9]*$/.test(digits)) return undefined;
    const shape = shapeOf(description);
    return shape === undefined ? undefined : { number: Number(digits), ...shape };
  }
}

function shapeOf(description: string | undefined): Omit<IndexVersion, "number"> | undefined {
  try {
    const parsed: unknown = JSON.parse(description ?? "");
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const { format, model, dimensions } = parsed as { readonly [name: string]: unknown };
    if (format !== FORMAT || typeof model !== "string" || typeof dimensions !== "number")
      return undefined;
    return { model, dimensions };
  } catch {
    // Somebody else's collection, or one that Weaviate made by itself.
    return undefined;
  }
}
