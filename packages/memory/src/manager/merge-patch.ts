import type { JsonValue } from "../model/item.ts";
import type { Limits } from "../model/limits.ts";
import { checkValue } from "../model/value.ts";

type JsonMap = { readonly [name: string]: JsonValue };

function isMap(value: JsonValue | undefined): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** RFC 7396. Recursion is bounded by the depth limit that `checkValue` has put on the patch. */
function merge(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isMap(patch)) return patch;
  const members = new Map<string, JsonValue>(isMap(target) ? Object.entries(target) : []);
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) members.delete(name);
    else members.set(name, merge(members.get(name), change));
  }
  // fromEntries defines own properties, so "__proto__" is a name like any other.
  return Object.fromEntries(members);
}

/** The value after the patch. Throws INVALID_VALUE when patch or result break a limit. */
export function mergePatch(current: JsonValue, patch: unknown, limits: Limits): JsonValue {
  return checkValue(merge(current, checkValue(patch, limits)), limits);
}
