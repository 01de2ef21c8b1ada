import { createHash } from "node:crypto";
import type { EntryFields, FieldValue, VectorFilter } from "./vector.ts";

/** Longer ones go by their hash: an index takes no key of kilobytes. */
const FACET_BYTES_MAX = 200;

/**
 * A field and one of its values as one word, so that an index of words answers for all fields and a
 * newly declared one changes no table. The value is written as JSON: 1 and "1" are two.
 */
function facetOf(field: string, value: FieldValue): string {
  const facet = JSON.stringify([field, value]);
  return Buffer.byteLength(facet) <= FACET_BYTES_MAX
    ? facet
    : `#${createHash("sha256").update(facet).digest("hex")}`;
}

export function facetsOf(fields: EntryFields | undefined): string[] {
  const facets = new Set<string>();
  for (const [field, value] of Object.entries(fields ?? {})) {
    const values: readonly FieldValue[] = typeof value === "object" ? value : [value];
    for (const one of values) facets.add(facetOf(field, one));
  }
  return [...facets];
}

/** Of each group an entry must have one. */
export function facetGroups(filter: VectorFilter | undefined): readonly (readonly string[])[] {
  return (filter?.fields ?? []).map(({ field, anyOf }) =>
    anyOf.map((value) => facetOf(field, value)),
  );
}
