import { facetGroups } from "../facets.ts";
import type { NearestRequest, VectorFilter, VectorHit } from "../vector.ts";
import type { EntryCollection, EntryProperties } from "./collections.ts";
import { refIn } from "./ref-in.ts";

const PAGE_ENTRIES = 500;

/**
 * Fetches every vector of a tenant and compares it here: Weaviate itself compares one by one only below
 * a bound of its own. Slow; it is what approximate search is measured by and made good with.
 */
export async function compareAll(
  tenant: EntryCollection,
  request: NearestRequest,
): Promise<readonly VectorHit[]> {
  const { namespace, vector, limit, filter } = request;
  let best: VectorHit[] = [];
  let after: string | undefined;
  do {
    const { objects } = await tenant.query.fetchObjects({
      limit: PAGE_ENTRIES,
      ...(after === undefined ? {} : { after }),
      includeVector: true,
    });
    const hits = objects.flatMap(({ properties, vectors }): VectorHit[] => {
      const ref = refIn(properties, namespace);
      const own = vectors["default"];
      if (ref === undefined || !Array.isArray(own) || !meets(properties, filter)) return [];
      return [{ ...ref, similarity: product(own, vector) }];
    });
    best = [...best, ...hits].toSorted((a, b) => b.similarity - a.similarity).slice(0, limit);
    after = objects.length < PAGE_ENTRIES ? undefined : objects.at(-1)?.uuid;
  } while (after !== undefined);
  return best;
}

function meets(properties: Partial<EntryProperties>, filter: VectorFilter | undefined): boolean {
  const { facets = [], atMs } = properties;
  const { fromMs, toMs } = filter ?? {};
  if (fromMs !== undefined && !(atMs !== undefined && atMs >= fromMs)) return false;
  if (toMs !== undefined && !(atMs !== undefined && atMs < toMs)) return false;
  return facetGroups(filter).every((group) => group.some((facet) => facets.includes(facet)));
}

/** The cosine: both are of length one. */
function product(left: readonly unknown[], right: Float32Array): number {
  let sum = 0;
  for (const [place, part] of right.entries()) sum += part * Number(left[place]);
  return Math.min(1, Math.max(-1, sum));
}
