import type { EvictionPolicy } from "./policy.ts";
import { SLOT_LIST_BYTES, SlotLists } from "./slot-lists.ts";

/** Lets go of what was not read for longest. */
export class LruPolicy implements EvictionPolicy {
  readonly bytesPerSlot: number = SLOT_LIST_BYTES;
  readonly #slots: SlotLists;

  constructor(slotsMax: number) {
    this.#slots = new SlotLists(slotsMax, 1);
  }

  inserted(slot: number): void {
    this.#slots.append(0, slot);
  }

  hit(slot: number): void {
    this.#slots.remove(slot);
    this.#slots.append(0, slot);
  }

  removed(slot: number): void {
    this.#slots.remove(slot);
  }

  victim(): number {
    return this.#slots.first(0);
  }

  clear(): void {
    this.#slots.clear();
  }
}
