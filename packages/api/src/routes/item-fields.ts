import { MEMORY_TIERS } from "@cherry-ai/memory";
import type { SetOptions } from "@cherry-ai/memory";
import { flag, judgedLater, oneOf, text } from "../http/fields.ts";
import type { FieldCheck, Fields } from "../http/fields.ts";

/** What an item may be stored with; metadata, tags and TTL are judged by the memory. */
export const ATTRIBUTE_FIELDS: readonly (readonly [string, FieldCheck])[] = [
  ["metadata", judgedLater],
  ["tags", judgedLater],
  ["ttlSeconds", judgedLater],
  ["tierHint", oneOf(MEMORY_TIERS)],
  ["durability", oneOf(["durable", "ephemeral"])],
  ["text", text],
  ["index", flag],
  ["embed", flag],
];

export const PUT_FIELDS: Fields = new Map([["value", judgedLater], ...ATTRIBUTE_FIELDS]);

/** Checked fields as the options of a set. */
export function setOptions(fields: { readonly [name: string]: unknown }): SetOptions {
  // checkFields has refused other names and types; the memory judges what is left unjudged.
  return fields as SetOptions;
}
