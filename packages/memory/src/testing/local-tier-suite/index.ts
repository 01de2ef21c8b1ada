import type { ItemRecord, ObjectRecord } from "../../model/item.ts";
import type { Suite } from "../suite.ts";
import { boundCases } from "./bounds.ts";
import { copyCases } from "./copies.ts";
import { deadlineCases } from "./deadlines.ts";
import { byteRecord, objectRecord } from "./fixture.ts";
import type { LocalRecord, LocalTierMaker } from "./fixture.ts";
import { namespaceCases } from "./namespaces.ts";

/** What every tier of copies in this process must do, whatever its records are. */
export function localTierSuite<R extends LocalRecord>(
  name: string,
  maker: LocalTierMaker<R>,
): Suite {
  return {
    name: `local tier: ${name}`,
    cases: [
      ...copyCases(maker),
      ...deadlineCases(maker),
      ...namespaceCases(maker),
      ...boundCases(maker),
    ],
  };
}

/** The same for tiers of encoded bytes. */
export function byteTierSuite(name: string, make: LocalTierMaker<ItemRecord>["make"]): Suite {
  return localTierSuite(name, { make, record: byteRecord });
}

/** The same for tiers of decoded objects. */
export function objectTierSuite(name: string, make: LocalTierMaker<ObjectRecord>["make"]): Suite {
  return localTierSuite(name, { make, record: objectRecord });
}
