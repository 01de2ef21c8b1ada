import type { Codec } from "../../codec/codec.ts";
import { toMemoryError, MemoryError } from "../../model/errors.ts";
import { checkIndexing } from "../../model/indexing.ts";
import type { Indexing } from "../../model/indexing.ts";
import type { ItemRef, JsonObject } from "../../model/item.ts";

/**
 * What of an item is searchable is stored beside its body, encoded and encrypted like it: it may hold
 * text of the item. It is bound to an address of its own (no key holds NUL), so that neither of the
 * two opens in the place of the other.
 */
function addressOf({ namespace, key }: ItemRef): ItemRef {
  return { namespace, key: `${key}\u0000indexing` };
}

export function encodeIndexing(codec: Codec, ref: ItemRef, indexing: Indexing): Uint8Array {
  const members: JsonObject = { ...indexing };
  return codec.encode(members, addressOf(ref));
}

/** undefined: all by default. CORRUPT_VALUE when it is not as it was written. */
export function decodeIndexing(
  codec: Codec,
  item: ItemRef & { readonly indexing?: Uint8Array },
): Indexing | undefined {
  if (item.indexing === undefined) return undefined;
  const stored = codec.decode(item.indexing, addressOf(item));
  try {
    if (typeof stored === "object" && stored !== null && !Array.isArray(stored))
      return checkIndexing(stored as JsonObject);
    throw new MemoryError("INVALID_VALUE", "it is no object");
  } catch (cause) {
    throw new MemoryError(
      "CORRUPT_VALUE",
      `what is searchable of item ${JSON.stringify(item.key)} is corrupt: ${toMemoryError(cause).message}; write it again`,
      { cause },
    );
  }
}
