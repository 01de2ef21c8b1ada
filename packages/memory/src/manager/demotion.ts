import type { Tiers } from "../tiers/factory.ts";
import type { Core } from "./core.ts";

/**
 * Copies that are let go under pressure move one tier down: a decoded one is kept encoded in process
 * memory, where it is not already; from there the authority has it in any case.
 */
export function watchDemotions(core: Core, tiers: Tiers): void {
  const { codec, moves } = core;
  const { objects, bytes, authority } = tiers;
  const below = bytes?.name ?? authority.name;
  objects?.onDemotion((record) => {
    moves.record(record, {
      from: objects.name,
      to: below,
      direction: "demote",
      reason: "pressure",
    });
    if (bytes === undefined || bytes.inspect(record.namespace, record.key) !== undefined) return;
    const { value, sizeBytes: _, ...meta } = record;
    bytes.offer({ ...meta, body: codec.encode(value, record) });
  });
  bytes?.onDemotion((record) => {
    moves.record(record, {
      from: bytes.name,
      to: authority.name,
      direction: "demote",
      reason: "pressure",
    });
  });
}
