import type { FilterValue, WeaviateClient } from "weaviate-client";
import { MemoryError } from "../../model/errors.ts";
import { facetGroups } from "../facets.ts";
import { missingIndex } from "../index-version.ts";
import { unitVector } from "../unit-vector.ts";
import type {
  MatchHit,
  MatchRequest,
  NearestRequest,
  NearestResult,
  VectorFilter,
  VectorHit,
  VectorScope,
} from "../vector.ts";
import type { Collections, EntryCollection } from "./collections.ts";
import { tenantOf } from "./entry-id.ts";
import { refIn } from "./ref-in.ts";
import { compareAll } from "./exact-search.ts";
import type { Tenants } from "./tenants.ts";
import type { WeaviateConnection } from "./weaviate-connection.ts";
import { unlessFault } from "./weaviate-faults.ts";

/** Namespaces asked at once in one search. */
const PARALLEL = 8;

export interface SearchParts {
  readonly connection: WeaviateConnection;
  readonly collections: Collections;
  readonly tenants: Tenants;
  /** With `below` each namespace is a search of its own: more are refused. */
  readonly belowNamespacesMax: number;
}

const ENTRY_FIELDS = ["namespace", "key", "itemVersion"] as const;

/** Searches, in one tenant or in those of all namespaces below. */
export class Searcher {
  readonly #parts: SearchParts;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  async nearest(request: NearestRequest): Promise<NearestResult> {
    const index = await this.#parts.collections.get(request.index);
    const vector = unitVector(request.vector, index);
    if (matchesNothing(request.filter)) return { hits: [], exact: true };
    const answers = await this.#inEach(request, (client, namespace) =>
      this.#nearestIn(client, { ...request, namespace, vector }),
    );
    const hits = answers.flatMap((answer) => answer.hits);
    return {
      hits: hits.toSorted((a, b) => b.similarity - a.similarity).slice(0, request.limit),
      exact: answers.every((answer) => answer.exact),
    };
  }

  async match(request: MatchRequest): Promise<readonly MatchHit[]> {
    await this.#parts.collections.get(request.index);
    if (request.terms.length === 0 || matchesNothing(request.filter)) return [];
    const answers = await this.#inEach(request, (client, namespace) =>
      this.#matchIn(client, { ...request, namespace }),
    );
    return answers
      .flat()
      .toSorted((a, b) => b.score - a.score)
      .slice(0, request.limit);
  }

  /** In every namespace of the scope; one that has no tenant has no entries. */
  async #inEach<T>(
    { index, namespace, below }: VectorScope,
    work: (client: WeaviateClient, namespace: string) => Promise<T>,
  ): Promise<T[]> {
    const { connection, tenants, belowNamespacesMax } = this.#parts;
    const scope = { namespace, below };
    const namespaces = await tenants.within(scope, belowNamespacesMax + 1);
    if (namespaces.length > belowNamespacesMax) throw tooMany(belowNamespacesMax);
    const answers: T[] = [];
    const rest = namespaces.values();
    const worker = async (): Promise<void> => {
      for (const one of rest) {
        tenants.use({ index, namespace: one });
        await connection.run("search", async (client) => {
          const found = await unlessFault(
            ["no tenant", "no collection"],
            work(client, one),
            (kind) => (kind === "no tenant" ? undefined : this.#missing(index)),
          );
          if (found !== undefined) answers.push(found);
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, namespaces.length) }, worker));
    return answers;
  }

  #missing(index: number): never {
    this.#parts.collections.forget(index);
    this.#parts.tenants.forgetIndex(index);
    throw missingIndex(index);
  }

  async #nearestIn(client: WeaviateClient, request: NearestRequest): Promise<NearestResult> {
    const tenant = this.#tenantIn(client, request);
    if (request.exact === true) return { hits: await compareAll(tenant, request), exact: true };
    const filters = filtersOf(tenant, request.filter);
    const { objects } = await tenant.query.nearVector(Array.from(request.vector), {
      limit: request.limit,
      ...(filters === undefined ? {} : { filters }),
      returnMetadata: ["distance"],
      returnProperties: [...ENTRY_FIELDS],
    });
    const hits = objects.flatMap(({ properties, metadata }): VectorHit[] => {
      const ref = refIn(properties, request.namespace);
      return ref === undefined ? [] : [{ ...ref, similarity: 1 - (metadata?.distance ?? 2) }];
    });
    if (hits.length >= request.limit) return { hits, exact: false };
    // A graph may end early: whether that was all is told by counting.
    const { totalCount } = await tenant.aggregate.overAll(filters === undefined ? {} : { filters });
    return totalCount <= hits.length
      ? { hits, exact: true }
      : { hits: await compareAll(tenant, request), exact: true };
  }

  async #matchIn(client: WeaviateClient, request: MatchRequest): Promise<MatchHit[]> {
    const tenant = this.#tenantIn(client, request);
    const filters = filtersOf(tenant, request.filter);
    const { objects } = await tenant.query.bm25(request.terms.join(" "), {
      queryProperties: ["terms"],
      limit: request.limit,
      ...(filters === undefined ? {} : { filters }),
      returnMetadata: ["score"],
      returnProperties: [...ENTRY_FIELDS],
    });
    return objects.flatMap(({ properties, metadata }): MatchHit[] => {
      const ref = refIn(properties, request.namespace);
      return ref === undefined ? [] : [{ ...ref, score: metadata?.score ?? 0 }];
    });
  }

  #tenantIn(client: WeaviateClient, { index, namespace }: VectorScope): EntryCollection {
    return this.#parts.collections.entriesOf(client, index).withTenant(tenantOf(namespace));
  }
}

function matchesNothing(filter: VectorFilter | undefined): boolean {
  return facetGroups(filter).some((group) => group.length === 0);
}

function filtersOf(
  tenant: EntryCollection,
  filter: VectorFilter | undefined,
): FilterValue | undefined {
  const { fromMs, toMs } = filter ?? {};
  const at = tenant.filter.byProperty("atMs");
  const all: FilterValue[] = facetGroups(filter).map((group) =>
    tenant.filter.byProperty("facets").containsAny([...group]),
  );
  if (fromMs !== undefined) all.push(at.greaterOrEqual(fromMs));
  if (toMs !== undefined) all.push(at.lessThan(toMs));
  const [first, ...others] = all;
  if (first === undefined || others.length === 0) return first;
  return { operator: "And", filters: all, value: null };
}

function tooMany(max: number): MemoryError {
  return new MemoryError(
    "CAPABILITY_UNAVAILABLE",
    `a search below this namespace takes in more than ${max} namespaces, each a tenant of Weaviate that is searched by itself; search a narrower one, or use pgvector`,
    { field: "below" },
  );
}
