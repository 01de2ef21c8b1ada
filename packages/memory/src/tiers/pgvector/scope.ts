import type { SqlValue } from "../postgres/database.ts";
import { facetGroups } from "../facets.ts";
import type { VectorFilter } from "../vector.ts";

/** Values of one statement, each bound once. */
export class Binding {
  readonly values: SqlValue[] = [];

  add(value: SqlValue): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** The rows `v` of a namespace, or also of all below it: two ranges, for between `a` and `a/` lies `a-`. */
export function inScope(
  binding: Binding,
  { namespace, below }: { readonly namespace: string; readonly below: boolean },
): string {
  if (below && namespace === "") return "true";
  const exactly = `v.namespace = ${binding.add(namespace)}`;
  if (!below) return exactly;
  // "0" follows "/".
  const from = binding.add(`${namespace}/`);
  const to = binding.add(`${namespace}0`);
  return `(${exactly} OR (v.namespace >= ${from} AND v.namespace < ${to}))`;
}

/** What of a filter is left after the namespace; undefined where there is nothing. */
export function meetsFilter(
  binding: Binding,
  filter: VectorFilter | undefined,
): string | undefined {
  const conditions = facetGroups(filter).map((group) => {
    const facets = `${binding.add([...group])}::text[]`;
    const operator = group.length === 1 ? "@>" : "&&";
    // The index of facets leaves out rows without any, and must be told that none is asked for.
    return `(v.facets ${operator} ${facets} AND v.facets <> '{}')`;
  });
  const { fromMs, toMs } = filter ?? {};
  if (fromMs !== undefined) conditions.push(`v.at_ms >= ${binding.add(fromMs)}`);
  if (toMs !== undefined) conditions.push(`v.at_ms < ${binding.add(toMs)}`);
  return conditions.length === 0 ? undefined : conditions.join(" AND ");
}
