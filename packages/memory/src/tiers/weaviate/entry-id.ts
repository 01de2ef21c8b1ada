import { createHash } from "node:crypto";
import type { ItemRef } from "../../model/item.ts";

/**
 * A tenant's name may have 64 of few characters and a namespace 512 bytes of any: whatever is cleverer
 * than a hash lets two namespaces meet. The path itself lies beside each entry, and is compared.
 */
export function tenantOf(namespace: string): string {
  return createHash("sha256").update(namespace).digest("hex");
}

const UUID_BYTES = 16;
/** Ours, drawn once: the namespace that RFC 9562 asks of version 5. */
const NAMESPACE = Buffer.from("6d1f0ff3a4c64cf8a9b1f54fd3f7c2a6", "hex");

/** The same item always has the same id, so that to write it again replaces it. UUID version 5. */
export function entryId({ namespace, key }: ItemRef): string {
  return uuidOf(`${namespace}\u0000${key}`);
}

export function namespaceId(namespace: string): string {
  return uuidOf(namespace);
}

function uuidOf(name: string): string {
  const bytes = createHash("sha1").update(NAMESPACE).update(name).digest().subarray(0, UUID_BYTES);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
