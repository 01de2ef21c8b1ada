import type { RawItem } from "@cherry-ai/memory";
import type { ByteText } from "../http/call.ts";

/** Longer values stay buffers: a string that long would cost more than it saves. */
const TEXT_BYTES_MAX = 16 * 1024;

/**
 * An item as JSON. Value, metadata and tags go in as the text they are stored as: parsing and
 * printing them again would cost more than all the rest of a hit.
 */
export function itemText(item: RawItem): ByteText {
  const { valueJson } = item;
  const head = `{"namespace":${JSON.stringify(item.namespace)},"key":${JSON.stringify(item.key)},"value":`;
  const tail = tailText(item);
  if (typeof valueJson === "string") return bytesOf(head) + valueJson + tail;
  if (valueJson.length > TEXT_BYTES_MAX)
    return Buffer.concat([Buffer.from(head), valueJson, Buffer.from(tail, "latin1")]);
  return bytesOf(head) + valueJson.toString("latin1") + tail;
}

/** The UTF-8 form of a text, a character a byte. */
function bytesOf(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString("latin1");
}

/** Times, versions and checksums are made by us of letters that JSON does not escape. */
function tailText(item: RawItem): string {
  const expiry =
    item.expiresAt === undefined
      ? ""
      : `"ttlSeconds":${item.ttlSeconds ?? 0},"expiresAt":"${item.expiresAt}",`;
  return (
    `,${item.attributesJson},"tier":"${item.tier}","version":"${item.version}",` +
    `"createdAt":"${item.createdAt}","updatedAt":"${item.updatedAt}",` +
    `"accessedAt":"${item.accessedAt}","accessCount":${item.accessCount},` +
    `"sizeBytes":${item.sizeBytes},${expiry}"checksum":"${item.checksum}"}`
  );
}
