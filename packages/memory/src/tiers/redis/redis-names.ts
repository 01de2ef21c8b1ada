import { hash } from "node:crypto";
import type { ItemRef } from "../../model/item.ts";
import { isWithin } from "../../model/key.ts";

/**
 * Part of every key and channel: two releases that write entries or messages differently never read
 * each other's, and both go on.
 */
export const FORMAT_VERSION = 1;

/** Of the epoch's hash, in base64: 72 bits, a third of the letters that every name would carry. */
const EPOCH_LETTERS = 12;

/** NUL cannot occur in a namespace or a key. */
const SEPARATOR = "\u0000";

/** Names in Redis of one memory: its prefix, which environments do not share, and its epoch. */
export class RedisNames {
  readonly channel: string;
  readonly #start: string;
  #namespace: string | undefined;
  #inNamespace = "";

  constructor(prefix: string, epoch: string) {
    const mark = hash("sha256", epoch, "base64url").slice(0, EPOCH_LETTERS);
    this.#start = `${prefix}:${FORMAT_VERSION}:${mark}:`;
    this.channel = `${prefix}:bus:${FORMAT_VERSION}:${mark}`;
  }

  key(ref: ItemRef): string {
    // Many keys of one namespace are asked for together.
    if (ref.namespace !== this.#namespace) {
      this.#namespace = ref.namespace;
      this.#inNamespace = this.#start + ref.namespace + SEPARATOR;
    }
    return this.#inNamespace + ref.key;
  }

  /** What a name stands for; undefined: it is none of ours. */
  ref(name: string): ItemRef | undefined {
    if (!name.startsWith(this.#start)) return undefined;
    const at = name.indexOf(SEPARATOR, this.#start.length);
    if (at === -1) return undefined;
    return { namespace: name.slice(this.#start.length, at), key: name.slice(at + 1) };
  }

  /** For SCAN: matches all of a namespace, and where `below` is asked for, more than that. */
  pattern(scope: { readonly namespace: string; readonly below: boolean }): string {
    const end = scope.below ? "*" : `${SEPARATOR}*`;
    return escapeGlob(this.#start + scope.namespace) + end;
  }
}

export function isInScope(
  ref: ItemRef,
  scope: { readonly namespace: string; readonly below: boolean },
): boolean {
  return scope.below ? isWithin(ref.namespace, scope.namespace) : ref.namespace === scope.namespace;
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]\\^]/g, "\\$&");
}
