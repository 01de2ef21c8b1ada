import type { ItemRef } from "../model/item.ts";

/** A clear: all that was in the namespace, or also below it, at and below this version is gone. */
export interface Clear {
  readonly namespace: string;
  readonly below: boolean;
  readonly version: number;
}

/** Whether the clear is of the namespace of this item. */
export function covers({ namespace, below }: Clear, ref: ItemRef): boolean {
  if (ref.namespace === namespace) return true;
  return below && (namespace === "" || ref.namespace.startsWith(`${namespace}/`));
}
