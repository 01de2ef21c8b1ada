import { MemoryError, VersionConflict } from "../model/errors.ts";
import type { ItemRef } from "../model/item.ts";
import type { Condition } from "../tiers/authority.ts";
import { describeCondition } from "./inputs.ts";

/** Throws VersionConflict unless the condition holds of an item with this version (undefined: none). */
export function judge(
  ref: ItemRef,
  condition: Condition | undefined,
  version: number | undefined,
): void {
  if (condition === undefined) return;
  const holds =
    condition === "absent"
      ? version === undefined
      : version !== undefined && (condition === "present" || condition === version);
  if (!holds) throw conflict(ref, condition, version ?? null);
}

export function conflict(
  ref: ItemRef,
  condition: Condition | undefined,
  version: number | null,
): VersionConflict {
  return new VersionConflict(
    ref.key,
    condition === undefined ? "a write" : describeCondition(condition),
    version === null ? null : { version: String(version) },
  );
}

export function durabilityConflict(key: string): MemoryError {
  return new MemoryError(
    "DURABILITY_CONFLICT",
    `item ${JSON.stringify(key)} is durable; delete it first or set it with durability "durable"`,
    { field: "durability" },
  );
}
