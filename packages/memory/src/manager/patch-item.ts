import { VersionConflict } from "../model/errors.ts";
import type { Receipt } from "../model/item.ts";
import { checkKey } from "../model/key.ts";
import type { Condition, IdempotencyToken } from "../tiers/authority.ts";
import { describeCondition } from "./inputs.ts";
import { mergePatch } from "./merge-patch.ts";
import type { Parts } from "./runtime.ts";

export interface PatchRequest {
  readonly key: string;
  /** RFC 7396. */
  readonly patch: unknown;
  readonly condition: Condition | undefined;
  readonly idempotency?: IdempotencyToken;
}

/** Merges a patch into an item where the item's authority is. */
export async function patchItem(
  parts: Parts,
  namespace: string,
  request: PatchRequest,
): Promise<Receipt> {
  const { core, ephemeral, write } = parts;
  const { limits } = core.config;
  const { patch, condition, idempotency } = request;
  const ref = { namespace, key: checkKey(request.key, limits) };
  if (condition === "absent")
    throw new VersionConflict(ref.key, describeCondition(condition), null);
  const vanishing = ephemeral.find(ref);
  if (vanishing !== undefined) {
    const leftMs = vanishing.deadlineMs - core.clock.monotonicMs();
    return ephemeral.set(namespace, {
      key: ref.key,
      value: mergePatch(core.codec.decode(vanishing.body, ref), patch, limits),
      metadata: vanishing.metadata,
      tags: vanishing.tags,
      ttlSeconds: Number.isFinite(leftMs) ? leftMs / 1000 : undefined,
      condition,
    });
  }
  return write.patch(ref, patch, {
    ...(condition === undefined ? {} : { condition }),
    ...(idempotency === undefined ? {} : { idempotency }),
  });
}
