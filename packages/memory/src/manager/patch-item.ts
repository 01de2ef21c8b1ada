import { VersionConflict } from "../model/errors.ts";
import type { ItemRecord, Receipt } from "../model/item.ts";
import { checkKey } from "../model/key.ts";
import type { Condition, IdempotencyToken } from "../tiers/authority.ts";
import { describeCondition } from "./inputs.ts";
import { mergePatch } from "./merge-patch.ts";
import type { Parts } from "./runtime.ts";

const MS_PER_SECOND = 1000;
/** Of a patch without a condition, when others change the item at the same time. */
const ATTEMPTS_MAX = 20;

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
  for (let attempt = 1; ; attempt += 1) {
    const vanishing = await ephemeral.find(ref);
    if (vanishing === undefined) break;
    try {
      return await patchEphemeral(parts, vanishing, request);
    } catch (error) {
      const changedMeanwhile = error instanceof VersionConflict && condition === undefined;
      if (!changedMeanwhile || attempt >= ATTEMPTS_MAX) throw error;
    }
  }
  return write.patch(ref, patch, {
    ...(condition === undefined ? {} : { condition }),
    ...(idempotency === undefined ? {} : { idempotency }),
  });
}

/** Writes over exactly what was found; its lifetime goes on. */
function patchEphemeral(
  { core, ephemeral }: Parts,
  found: ItemRecord,
  { patch, condition }: PatchRequest,
): Promise<Receipt> {
  const leftMs = found.deadlineMs - core.clock.monotonicMs();
  return ephemeral.set(found.namespace, {
    key: found.key,
    value: mergePatch(core.codec.decode(found.body, found), patch, core.config.limits),
    metadata: found.metadata,
    tags: found.tags,
    indexing: undefined,
    ttlSeconds: Number.isFinite(leftMs) ? leftMs / MS_PER_SECOND : undefined,
    condition: condition === undefined || condition === "present" ? found.version : condition,
  });
}
