import { MemoryError } from "../../model/errors.ts";
import { compareText } from "../../model/text.ts";
import type { ItemRef } from "../../model/item.ts";

export interface Ordered<T> {
  readonly sorted: readonly T[];
  /** Puts answers to `sorted` back into the order given. */
  restore<R>(answers: readonly R[]): readonly R[];
}

/**
 * Operations in the order of their keys, so that all writers lock rows in one order and none waits
 * for another in a circle. Two operations on one key are a mistake of ours.
 */
export function orderByKey<T extends ItemRef>(operations: readonly T[]): Ordered<T> {
  const places = operations.map((operation, place) => ({ operation, place }));
  if (!isSorted(operations))
    places.sort((left, right) => compareRefs(left.operation, right.operation));
  for (let index = 1; index < places.length; index += 1) {
    const left = places[index - 1];
    const right = places[index];
    if (
      left !== undefined &&
      right !== undefined &&
      compareRefs(left.operation, right.operation) === 0
    )
      throw new MemoryError(
        "INTERNAL",
        `a write has two operations on ${JSON.stringify(left.operation.key)}; fold them into one first`,
      );
  }
  return {
    sorted: places.map(({ operation }) => operation),
    restore: <R>(answers: readonly R[]) => {
      const restored: R[] = Array.from({ length: answers.length });
      for (const [index, answer] of answers.entries()) {
        const place = places[index]?.place;
        if (place !== undefined) restored[place] = answer;
      }
      return restored;
    },
  };
}

function isSorted(refs: readonly ItemRef[]): boolean {
  return refs.every((ref, index) => {
    const before = refs[index - 1];
    return before === undefined || compareRefs(before, ref) <= 0;
  });
}

function compareRefs(left: ItemRef, right: ItemRef): number {
  if (left.namespace !== right.namespace) return compareText(left.namespace, right.namespace);
  return compareText(left.key, right.key);
}
