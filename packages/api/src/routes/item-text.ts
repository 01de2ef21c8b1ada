import type { RawItem } from "@cherry-ai/memory";

/**
 * An item as JSON text in one buffer. The value is copied in as the bytes it is stored as: parsing
 * and printing it again would cost more than all the rest of a hit.
 */
export function itemText(item: RawItem): Buffer {
  const { valueJson } = item;
  const head = `{"namespace":${JSON.stringify(item.namespace)},"key":${JSON.stringify(item.key)},"value":`;
  const tail = tailText(item);
  const headBytes = Buffer.byteLength(head);
  const text = Buffer.allocUnsafe(headBytes + valueJson.length + Buffer.byteLength(tail));
  text.write(head, 0);
  text.set(valueJson, headBytes);
  text.write(tail, headBytes + valueJson.length);
  return text;
}

/** Times, versions and checksums are made by us of letters that JSON does not escape. */
function tailText(item: RawItem): string {
  const expiry =
    item.expiresAt === undefined
      ? ""
      : `"ttlSeconds":${item.ttlSeconds ?? 0},"expiresAt":"${item.expiresAt}",`;
  const metadata = JSON.stringify(item.metadata);
  const tags = item.tags.length === 0 ? "[]" : JSON.stringify(item.tags);
  return (
    `,"metadata":${metadata},"tags":${tags},"tier":"${item.tier}","version":"${item.version}",` +
    `"createdAt":"${item.createdAt}","updatedAt":"${item.updatedAt}",` +
    `"accessedAt":"${item.accessedAt}","accessCount":${item.accessCount},` +
    `"sizeBytes":${item.sizeBytes},${expiry}"checksum":"${item.checksum}"}`
  );
}
