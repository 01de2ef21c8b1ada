import type { ItemRef } from "../../../model/item.ts";
import type { SqlParameters } from "./sql-parameters.ts";

/** The character after "/" in byte order: `a0` is the end of all that begins with `a/`. */
const AFTER_SLASH = "0";

/**
 * One stretch of the primary key: one namespace, or all below one. A namespace and those below it are
 * not neighbours (`a`, `a-b`, `a/b`), so `below` is two stretches, one after the other.
 */
export type NamespaceRange =
  | { readonly kind: "one"; readonly namespace: string }
  | { readonly kind: "below"; readonly namespace: string };

/** In key order. */
export function namespaceRanges(namespace: string, below: boolean): readonly NamespaceRange[] {
  const one: NamespaceRange = { kind: "one", namespace };
  return below ? [one, { kind: "below", namespace }] : [one];
}

/** Whether all of the range lies before the position. */
export function isPassed(range: NamespaceRange, after: ItemRef | undefined): boolean {
  return after !== undefined && range.kind === "one" && after.namespace !== range.namespace;
}

/** The range beyond a position in it, as conditions on a row called `i`, in the primary key's terms. */
export function rangeSql(
  range: NamespaceRange,
  after: ItemRef | undefined,
  parameters: SqlParameters,
): readonly string[] {
  if (range.kind === "one") {
    const conditions = [`i.namespace = ${parameters.add(range.namespace, "text")}`];
    if (after !== undefined) conditions.push(`i.key > ${parameters.add(after.key, "text")}`);
    return conditions;
  }
  const { namespace } = range;
  const start = namespace === "" ? "" : `${namespace}/`;
  const conditions: string[] = [];
  if (after !== undefined && after.namespace !== namespace) {
    const position = `(${parameters.add(after.namespace, "text")}, ${parameters.add(after.key, "text")})`;
    conditions.push(`(i.namespace, i.key) > ${position}`);
  } else conditions.push(`i.namespace > ${parameters.add(start, "text")}`);
  if (namespace !== "")
    conditions.push(`i.namespace < ${parameters.add(`${namespace}${AFTER_SLASH}`, "text")}`);
  return conditions;
}
