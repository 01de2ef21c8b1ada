import type { EntryRef } from "../vector.ts";
import type { EntryProperties } from "./collections.ts";

/** Only what says of itself that it is of this namespace: a tenant's name is but a hash. */
export function refIn(
  properties: Partial<EntryProperties>,
  expected: string,
): EntryRef | undefined {
  const { namespace = "", key, itemVersion } = properties;
  if (namespace !== expected || key === undefined || itemVersion === undefined) return undefined;
  return { namespace, key, itemVersion };
}
