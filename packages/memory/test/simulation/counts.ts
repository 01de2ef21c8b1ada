import type { ItemRef } from "../../src/model/item.ts";
import { COUNTED } from "./keys.ts";
import type { History } from "./history.ts";

/** Increments that were acknowledged, and those of which nobody knows. */
export class Counts {
  readonly #done = new Map<string, number>();
  readonly #unsure = new Map<string, number>();

  begin({ key }: ItemRef): void {
    this.#unsure.set(key, (this.#unsure.get(key) ?? 0) + 1);
  }

  done(ref: ItemRef): void {
    this.undone(ref);
    this.#done.set(ref.key, (this.#done.get(ref.key) ?? 0) + 1);
  }

  undone({ key }: ItemRef): void {
    this.#unsure.set(key, (this.#unsure.get(key) ?? 0) - 1);
  }

  finish(history: History, fail: (text: string) => void): void {
    for (const ref of COUNTED) {
      const counted = Number(history.states(ref).at(-1)?.value ?? 0);
      const least = this.#done.get(ref.key) ?? 0;
      const most = least + (this.#unsure.get(ref.key) ?? 0);
      if (counted < least || counted > most)
        fail(`${ref.key} is ${counted}, but ${least} to ${most} increments were made`);
    }
  }
}
