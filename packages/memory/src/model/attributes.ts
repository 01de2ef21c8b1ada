import type { ItemMeta, JsonObject } from "./item.ts";
import { deepFreeze } from "./value.ts";

/** What an item says about its value. */
export type Attributes = Pick<ItemMeta, "metadata" | "tags">;

const NONE: Attributes = deepFreeze({ metadata: {} as JsonObject, tags: [] as readonly string[] });

/**
 * Metadata and tags as members of a JSON object, without its braces, so that they can be put into
 * an answer as they are; nothing when there are neither.
 */
export function attributesText({ metadata, tags }: Attributes): string {
  if (tags.length === 0 && Object.keys(metadata).length === 0) return "";
  return `"metadata":${JSON.stringify(metadata)},"tags":${JSON.stringify(tags)}`;
}

/** The other way, frozen. Of what `attributesText` wrote: memory is trusted. */
export function readAttributes(text: string): Attributes {
  return text === "" ? NONE : deepFreeze(JSON.parse(`{${text}}`) as Attributes);
}
