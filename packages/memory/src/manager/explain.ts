import type { ItemMeta, ItemRef, MemoryTier } from "../model/item.ts";
import type { Inspection, SharedCopies } from "../coherence/shared-copies.ts";
import { toMemoryError } from "../model/errors.ts";
import type { Core } from "./core.ts";
import type { Explanation } from "./memory.ts";

const MS_PER_SECOND = 1000;

type TierLine = Explanation["tiers"][number];

function present(
  core: Core,
  tier: MemoryTier,
  held: { readonly record: ItemMeta; readonly sizeBytes: number; readonly reason: string },
): TierLine {
  const leftMs = held.record.deadlineMs - core.clock.monotonicMs();
  return {
    tier,
    present: true,
    version: String(held.record.version),
    sizeBytes: held.sizeBytes,
    reason: held.reason,
    ...(Number.isFinite(leftMs) ? { ttlSeconds: leftMs / MS_PER_SECOND } : {}),
  };
}

function copyLine(
  core: Core,
  ref: ItemRef,
  tier: { readonly name: MemoryTier },
  held: { readonly record: ItemMeta; readonly sizeBytes: number } | undefined,
): TierLine {
  const last = core.moves.of(ref).findLast((m) => m.to === tier.name || m.from === tier.name);
  if (held !== undefined) {
    const why =
      last?.to === tier.name ? `moved here by ${last.reason}` : "stored when it was written";
    return present(core, tier.name, { ...held, reason: why });
  }
  const reason =
    last?.from === tier.name
      ? `moved on to ${last.to} by ${last.reason}`
      : "not read often enough here, or changed since";
  return { tier: tier.name, present: false, reason };
}

const SHARED_REASONS: { readonly [verdict in Inspection["verdict"]]: string } = {
  proven: "proven by the change log: would be served",
  unsure:
    "ephemeral, set before this server followed the log: the authority is asked before it is served",
  unproven: "copied before this server followed the log: not served, and replaced at the next read",
  outdated: "older than a change in the log: not served, and replaced at the next read",
};

async function sharedLine(core: Core, shared: SharedCopies, ref: ItemRef): Promise<TierLine> {
  const tier = shared.tier.name;
  try {
    const inspection = await shared.inspect(ref);
    if (inspection === undefined)
      return {
        tier,
        present: false,
        reason: "no copy: none was made since it changed, or it was let go",
      };
    const { record, kind } = inspection.entry;
    const what = kind === "ephemeral" && inspection.verdict === "proven" ? "ephemeral: " : "";
    return present(core, tier, {
      record,
      sizeBytes: record.body.byteLength,
      reason: `${what}${SHARED_REASONS[inspection.verdict]}`,
    });
  } catch (error) {
    return { tier, present: false, reason: `cannot tell: ${toMemoryError(error).code}` };
  }
}

async function authorityLine(core: Core, ref: ItemRef): Promise<TierLine> {
  const { authority } = core;
  try {
    const [record] = await authority.getMany([ref]);
    if (record === undefined)
      return { tier: authority.name, present: false, reason: "no live item" };
    return present(core, authority.name, {
      record,
      sizeBytes: record.body.byteLength,
      reason: "the durable authority holds every item",
    });
  } catch (error) {
    return {
      tier: authority.name,
      present: false,
      reason: `cannot tell: ${toMemoryError(error).code}`,
    };
  }
}

/** Where an item is, which version, and why. Touches no recency and fills no cache. */
export async function explainItem(core: Core, ref: ItemRef): Promise<Explanation> {
  const { objects, bytes } = core.copies;
  const tiers: TierLine[] = [];
  if (objects !== undefined) {
    const record = objects.inspect(ref.namespace, ref.key);
    tiers.push(copyLine(core, ref, objects, record && { record, sizeBytes: record.sizeBytes }));
  }
  if (bytes !== undefined) {
    const record = bytes.inspect(ref.namespace, ref.key);
    tiers.push(copyLine(core, ref, bytes, record && { record, sizeBytes: record.body.byteLength }));
  }
  if (core.shared !== undefined) tiers.push(await sharedLine(core, core.shared, ref));
  const vanishing = core.ephemeral?.find(ref);
  if (vanishing !== undefined)
    tiers.push(
      present(core, bytes?.name ?? core.authority.name, {
        record: vanishing,
        sizeBytes: vanishing.body.byteLength,
        reason: "ephemeral: lives in this process only",
      }),
    );
  tiers.push(await authorityLine(core, ref));
  const access = core.accesses.read(ref);
  const validForMs = core.validity.remainingMs();
  return {
    key: ref.key,
    namespace: ref.namespace,
    tiers,
    accessCount: access?.count ?? 0,
    ...(access === undefined ? {} : { accessedAt: new Date(access.atMs).toISOString() }),
    moves: core.moves.of(ref).map(({ atMs, from, to, reason }) => ({
      at: new Date(atMs).toISOString(),
      from,
      to,
      reason,
    })),
    coherence: {
      valid: core.validity.holds(),
      validForMs: Number.isFinite(validForMs) ? Math.max(0, validForMs) : null,
    },
  };
}
