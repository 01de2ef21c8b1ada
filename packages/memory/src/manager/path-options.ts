import type { Demand } from "../coherence/session.ts";
import type { ItemMeta, ItemRef } from "../model/item.ts";
import type { ReadOptions } from "./memory.ts";

/** The options of a read with what its session demands of copies. */
export interface PathOptions extends ReadOptions {
  readonly demand?: Demand;
}

/** Whether this copy is new enough for the session that reads. */
export function meetsDemand(
  copy: ItemRef & Pick<ItemMeta, "version">,
  options: PathOptions | undefined,
): boolean {
  return options?.demand === undefined || copy.version >= options.demand.minVersion(copy);
}
