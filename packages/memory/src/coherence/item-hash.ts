import type { Random } from "../model/clock.ts";
import type { ItemRef } from "../model/item.ts";
import { hashText } from "../model/key-hash.ts";

const SPAN = 2 ** 32;

/**
 * 32 bits for an item. Its seed is not known outside, so that nobody can choose keys that crowd one
 * place of a table. What is known of two items with one hash is mixed up: for uses where that only
 * costs time. Twice as many bits took a batch from the shared tier 0.1 µs a key, and save nothing: of
 * a million keys one in ten thousand shares its hash with one that changed lately.
 */
export class ItemHash {
  readonly #seed: number;
  /** Of the namespace asked last: a batch has one. */
  #namespace = "";
  #inNamespace: number;

  constructor(random: Random) {
    this.#seed = Math.floor(random() * SPAN);
    this.#inNamespace = hashText("", this.#seed);
  }

  of({ namespace, key }: ItemRef): number {
    if (namespace !== this.#namespace) {
      this.#namespace = namespace;
      this.#inNamespace = hashText(namespace, this.#seed);
    }
    return hashText(key, this.#inNamespace);
  }
}
