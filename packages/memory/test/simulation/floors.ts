import type { ItemRef } from "../../src/model/item.ts";
import { refId } from "../../src/tiers/tier.ts";
import type { Place } from "./judge-read.ts";

interface Raised {
  readonly place: Place;
  readonly at: number;
}

/**
 * What one reader must not fall behind of: a session, or one server between restarts. Each floor is
 * known as of every event, for what others are shown meanwhile does not bind a read under way.
 */
export class Floors {
  readonly #raised = new Map<string, Raised[]>();

  raise(ref: ItemRef, place: Place, at: number): void {
    const id = refId(ref);
    const raised = this.#raised.get(id);
    if (raised === undefined) this.#raised.set(id, [{ place, at }]);
    else if ((raised.at(-1)?.place ?? 0) < place) raised.push({ place, at });
  }

  /** As it was before the event `at`. */
  before(ref: ItemRef, at: number): Place {
    return this.#raised.get(refId(ref))?.findLast((raised) => raised.at < at)?.place ?? 0;
  }
}
