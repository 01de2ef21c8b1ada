import { hashText } from "../../model/key-hash.ts";
import type { ItemRef } from "../../model/item.ts";

/** The same on every server: another number would make all entries of the others damaged. */
const START = 0x6368_6572;

/** Of the namespace asked last: a batch has one. */
let lastNamespace = "";
let inLastNamespace = hashText("", START);

/**
 * Where the check of an entry begins: what is stored for one item does not pass for another's. The
 * namespace is finished before the key is mixed in, so that no letter can go from the one to the other.
 */
export function checkStart({ namespace, key }: ItemRef): number {
  if (namespace !== lastNamespace) {
    lastNamespace = namespace;
    inLastNamespace = hashText(namespace, START);
  }
  return hashText(key, inLastNamespace);
}
