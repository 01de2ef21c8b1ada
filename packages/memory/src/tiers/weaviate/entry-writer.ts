import type { WeaviateClient } from "weaviate-client";
import { facetsOf } from "../facets.ts";
import { newestEntries } from "../newest-entries.ts";
import { unitVector } from "../unit-vector.ts";
import type { EntryRef, VectorEntry } from "../vector.ts";
import type { Collections, EntryCollection, EntryProperties } from "./collections.ts";
import { entryId, tenantOf } from "./entry-id.ts";
import { missingIndex } from "../index-version.ts";
import type { Tenants } from "./tenants.ts";
import type { BatchObject, WeaviateConnection } from "./weaviate-connection.ts";
import { faultOf, unlessFault } from "./weaviate-faults.ts";

/** A large insert is cut off by the server (RST_STREAM), long before the size that gRPC allows. */
const BATCH_BYTES_MAX = 1024 * 1024;
const BATCH_OBJECTS_MAX = 500;
const OBJECT_BYTES = 300;
const FLOAT_BYTES = 4;
/** Ids in one question. */
const IDS_MAX = 500;

export interface WritingParts {
  readonly connection: WeaviateConnection;
  readonly collections: Collections;
  readonly tenants: Tenants;
}

/** Digits of a vector's numbers on the wire: more are below what four bytes tell apart at length one. */
const ROUNDING = 1e7;

/**
 * Writes and removes entries. Weaviate has no condition on a write: what is there is read before, so two
 * servers that write one item at the same moment may leave the older. The authority's check of each hit
 * keeps that from being seen, and one consumer of its log at a time from happening.
 */
export class EntryWriter {
  readonly #parts: WritingParts;

  constructor(parts: WritingParts) {
    this.#parts = parts;
  }

  async upsert(number: number, entries: readonly VectorEntry[]): Promise<void> {
    const index = await this.#parts.collections.get(number);
    // All are judged before the first is written.
    const rows = newestEntries(entries).map((entry) => ({
      ...entry,
      vector: unitVector(entry.vector, index),
    }));
    const byNamespace = Map.groupBy(rows, ({ namespace }) => namespace);
    await this.#prepare(number, [...byNamespace.keys()]);
    for (const [namespace, group] of byNamespace) {
      this.#parts.tenants.use({ index: number, namespace });
      for (const batch of batchesOf(group)) await this.#write(number, namespace, batch);
    }
  }

  /** Where the entry is of this version or an older one. */
  async remove(number: number, refs: readonly EntryRef[]): Promise<void> {
    for (const [namespace, group] of Map.groupBy(newestEntries(refs), (ref) => ref.namespace)) {
      for (let start = 0; start < group.length; start += IDS_MAX) {
        const part = group.slice(start, start + IDS_MAX);
        await this.#parts.connection.run("delete", async (client) => {
          const tenant = this.#tenantIn(client, number, namespace);
          const there = await versionsIn(tenant, part);
          const old = part.filter(
            (ref) => (there.get(entryId(ref)) ?? Infinity) <= ref.itemVersion,
          );
          if (old.length === 0) return;
          await unlessFault(
            ["no tenant", "no collection"],
            tenant.data.deleteMany(tenant.filter.byId().containsAny(old.map(entryId))),
            () => undefined,
          );
        });
      }
    }
  }

  /** Returns how many went. */
  async clear(number: number, namespace: string, itemVersion: number): Promise<number> {
    for (let removed = 0; ;) {
      const gone = await this.#parts.connection.run("delete", async (client) => {
        const tenant = this.#tenantIn(client, number, namespace);
        const filter = tenant.filter.byProperty("itemVersion").lessOrEqual(itemVersion);
        const answer = await unlessFault(
          ["no tenant", "no collection"],
          tenant.data.deleteMany(filter),
          () => ({ successful: 0 }),
        );
        return answer.successful;
      });
      removed += gone;
      // One call takes no more than the server's bound.
      if (gone === 0) return removed;
    }
  }

  async #prepare(number: number, namespaces: readonly string[]): Promise<void> {
    await unlessFault(
      ["no collection"],
      this.#parts.tenants.prepare(number, namespaces),
      async () => {
        this.#forget(number);
        throw missingIndex(number);
      },
    );
  }

  async #write(number: number, namespace: string, batch: readonly VectorEntry[]): Promise<void> {
    const fault = await this.#insert(number, namespace, batch);
    if (fault === undefined) return;
    if (fault === "no tenant") {
      this.#parts.tenants.forget(number, namespace);
      await this.#prepare(number, [namespace]);
      if ((await this.#insert(number, namespace, batch)) === undefined) return;
    }
    this.#forget(number);
    await this.#parts.collections.removeStray(number);
    throw missingIndex(number);
  }

  /** Resolves to what was missing. */
  #insert(
    number: number,
    namespace: string,
    batch: readonly VectorEntry[],
  ): Promise<"no tenant" | "no collection" | undefined> {
    return this.#parts.connection.run("set", async (client, batcher) => {
      const tenant = this.#tenantIn(client, number, namespace);
      const there = await versionsIn(tenant, batch);
      const newer = batch.filter((entry) => (there.get(entryId(entry)) ?? 0) < entry.itemVersion);
      if (newer.length === 0) return undefined;
      const answers = await batcher
        .objectsBatcher()
        .withObjects(...newer.map((entry) => sentOf(entry, tenant.name)))
        .do();
      const [failure] = answers.flatMap(({ result }) => result?.errors?.error ?? []);
      if (failure === undefined) return undefined;
      const error = new Error(failure.message);
      const fault = faultOf(error);
      if (fault === "no tenant" || fault === "no collection") return fault;
      throw error;
    });
  }

  #tenantIn(client: WeaviateClient, number: number, namespace: string): EntryCollection {
    return this.#parts.collections.entriesOf(client, number).withTenant(tenantOf(namespace));
  }

  #forget(number: number): void {
    this.#parts.collections.forget(number);
    this.#parts.tenants.forgetIndex(number);
  }
}

/** Of the entries that are there, by id. */
async function versionsIn(
  tenant: EntryCollection,
  refs: readonly EntryRef[],
): Promise<ReadonlyMap<string, number>> {
  const none = { objects: [] };
  const { objects } = await unlessFault(
    ["no tenant", "no collection"],
    tenant.query.fetchObjects({
      filters: tenant.filter.byId().containsAny(refs.map(entryId)),
      limit: refs.length,
      returnProperties: ["itemVersion"],
    }),
    () => none,
  );
  return new Map(objects.map(({ uuid, properties }) => [uuid, properties.itemVersion]));
}

function sentOf(entry: VectorEntry, collection: string): BatchObject {
  const { namespace, key, itemVersion, atMs, terms } = entry;
  const facets = facetsOf(entry.fields);
  const properties: EntryProperties = {
    namespace,
    key,
    itemVersion,
    ...(facets.length === 0 ? {} : { facets }),
    ...(atMs === undefined ? {} : { atMs }),
    ...(terms === undefined || terms.length === 0 ? {} : { terms: terms.join(" ") }),
  };
  const vector = Array.from(entry.vector, (part) => Math.round(part * ROUNDING) / ROUNDING);
  return {
    class: collection,
    tenant: tenantOf(namespace),
    id: entryId(entry),
    properties,
    vector,
  };
}

/** Each small enough for one call. */
function batchesOf(entries: readonly VectorEntry[]): VectorEntry[][] {
  const batches: VectorEntry[][] = [];
  let batch: VectorEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = sizeOf(entry);
    if (
      batch.length === BATCH_OBJECTS_MAX ||
      (batch.length > 0 && bytes + size > BATCH_BYTES_MAX)
    ) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** About what the entry takes on its way. */
function sizeOf({ namespace, key, vector, terms = [], fields = {} }: VectorEntry): number {
  const words = terms.reduce((sum, term) => sum + Buffer.byteLength(term) + 1, 0);
  const names = Buffer.byteLength(namespace) + Buffer.byteLength(key);
  const facets = Buffer.byteLength(JSON.stringify(fields));
  return OBJECT_BYTES + vector.length * FLOAT_BYTES + words + names + facets;
}
