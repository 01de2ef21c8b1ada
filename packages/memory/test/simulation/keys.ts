import type { ItemRef } from "../../src/model/item.ts";
import type { Operation } from "./operation.ts";

/** Few keys, so that operations meet. Those in "e" are ephemeral or durable by turns; "n" is counted. */
const NAMESPACES = ["a", "a", "a", "a/b", "e"];
const KEYS = ["k0", "k1", "k2"];
export const COUNTED: readonly ItemRef[] = ["c0", "c1"].map((key) => ({ namespace: "n", key }));

export const ALL_REFS: readonly ItemRef[] = [
  ...["a", "a/b", "e"].flatMap((namespace) => KEYS.map((key) => ({ namespace, key }))),
  ...COUNTED,
];

export function anyKey(op: Operation): ItemRef {
  return { namespace: op.pick(NAMESPACES), key: op.pick(KEYS) };
}

/** One that only ever holds durable items. */
export function durableKey(op: Operation): ItemRef {
  return { namespace: op.random() < 0.7 ? "a" : "a/b", key: op.pick(KEYS) };
}

export function fleetingKey(op: Operation): ItemRef {
  return { namespace: "e", key: op.pick(KEYS) };
}
