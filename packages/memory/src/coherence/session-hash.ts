import { hashText } from "../model/key-hash.ts";
import type { ItemRef } from "../model/item.ts";

/**
 * Fixed, because a token names a key to every server and every release. Whoever finds two keys with
 * one hash makes the reads of his own session stricter, and nothing else.
 */
const LOW_SEED = 0x5e55_1014;
const HIGH_SEED = 0x70ce_4bad;
const HIGH_BITS = 0xffff;
const LOW_SPAN = 2 ** 32;

/** 48 bits that stand for an item in a session token. */
export function sessionHash({ namespace, key }: ItemRef): number {
  const low = hashText(key, hashText(namespace, LOW_SEED));
  const high = hashText(key, hashText(namespace, HIGH_SEED)) & HIGH_BITS;
  return high * LOW_SPAN + low;
}

/** 48 bits that stand for the database's epoch. */
export function epochHash(epoch: string): number {
  return sessionHash({ namespace: "", key: epoch });
}
