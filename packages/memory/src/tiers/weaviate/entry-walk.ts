import { MemoryError } from "../../model/errors.ts";
import type { EntryPage, EntryRef } from "../vector.ts";
import type { Collections } from "./collections.ts";
import { namespaceId, tenantOf } from "./entry-id.ts";
import { refIn } from "./ref-in.ts";
import type { Tenants } from "./tenants.ts";
import type { WeaviateConnection } from "./weaviate-connection.ts";
import { unlessFault } from "./weaviate-faults.ts";

/** Namespaces looked at for one page: most may be empty. */
const NAMESPACES_A_PAGE = 200;

/** Where a walk stands: in a namespace after an entry, or between two namespaces. */
interface Place {
  /** Id of the last namespace that is done with. */
  readonly done: string | undefined;
  readonly namespace: string | undefined;
  readonly entry: string | undefined;
}

export interface WalkParts {
  readonly connection: WeaviateConnection;
  readonly collections: Collections;
  readonly tenants: Tenants;
}

/** One page of all entries of an index version: namespace by namespace, each by the ids of its entries. */
export async function walkEntries(
  parts: WalkParts,
  request: { readonly index: number; readonly after: string | undefined; readonly limit: number },
): Promise<EntryPage> {
  const { index, limit } = request;
  await parts.collections.get(index);
  const entries: EntryRef[] = [];
  let place = placeOf(request.after);
  for (let looked = 0; looked < NAMESPACES_A_PAGE; looked += 1) {
    const { namespace } = place;
    if (namespace === undefined) {
      const [next] = (await parts.tenants.page(place.done, 1)).namespaces;
      if (next === undefined) return { entries, next: undefined };
      place = { ...place, namespace: next, entry: undefined };
      continue;
    }
    const wanted = limit - entries.length;
    const page = await pageIn(parts, { index, namespace, after: place.entry, limit: wanted });
    entries.push(...page.refs);
    if (page.last !== undefined) place = { ...place, entry: page.last };
    else place = { done: namespaceId(namespace), namespace: undefined, entry: undefined };
    if (entries.length === limit) break;
  }
  return { entries, next: JSON.stringify([place.done, place.namespace, place.entry]) };
}

/** `last`: the id after which there may be more. */
function pageIn(
  { connection, collections }: WalkParts,
  request: {
    readonly index: number;
    readonly namespace: string;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<{ readonly refs: readonly EntryRef[]; readonly last: string | undefined }> {
  const { index, namespace, after, limit } = request;
  return connection.run("scan", async (client) => {
    const tenant = collections.entriesOf(client, index).withTenant(tenantOf(namespace));
    const none = { objects: [] };
    const { objects } = await unlessFault(
      ["no tenant", "no collection"],
      tenant.query.fetchObjects({
        limit,
        ...(after === undefined ? {} : { after }),
        returnProperties: ["namespace", "key", "itemVersion"],
      }),
      () => none,
    );
    const refs = objects.flatMap(({ properties }) => refIn(properties, namespace) ?? []);
    return { refs, last: objects.length < limit ? undefined : objects.at(-1)?.uuid };
  });
}

function placeOf(cursor: string | undefined): Place {
  if (cursor === undefined) return { done: undefined, namespace: undefined, entry: undefined };
  try {
    const parts: unknown = JSON.parse(cursor);
    if (Array.isArray(parts) && parts.length === 3) {
      const [done, namespace, entry] = parts.map((part: unknown) =>
        typeof part === "string" ? part : undefined,
      );
      return { done, namespace, entry };
    }
  } catch {
    // Refused below, with all else that is none of ours.
  }
  throw new MemoryError("INVALID_CURSOR", "cursor: not one of this walk; begin again without one", {
    field: "after",
  });
}
