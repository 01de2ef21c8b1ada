import { MemoryError } from "../../model/errors.ts";
import type { ItemRef } from "../../model/item.ts";

/** Where a walk through all entries goes on. */
export function encodeCursor(last: ItemRef | undefined): string | undefined {
  return last === undefined ? undefined : JSON.stringify([last.namespace, last.key]);
}

export function decodeCursor(cursor: string | undefined): ItemRef | undefined {
  if (cursor === undefined) return undefined;
  try {
    const parts: unknown = JSON.parse(cursor);
    if (Array.isArray(parts) && parts.length === 2) {
      const [namespace, key]: unknown[] = parts;
      if (typeof namespace === "string" && typeof key === "string") return { namespace, key };
    }
  } catch {
    // Refused below, with all else that is none of ours.
  }
  throw new MemoryError("INVALID_CURSOR", "cursor: not one of this walk; begin again without one", {
    field: "after",
  });
}
