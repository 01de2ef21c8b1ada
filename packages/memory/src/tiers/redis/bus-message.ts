import type { ItemRef } from "../../model/item.ts";
import type { BusMessage } from "../shared.ts";
import { FORMAT_VERSION } from "./redis-names.ts";

/** Changes of one step; `c` for short, for there are many: [namespace, key, version]. */
export function encodeChanges(
  changes: readonly (ItemRef & { readonly version: number })[],
): string {
  const c = changes.map(({ namespace, key, version }) => [namespace, key, version]);
  return JSON.stringify({ f: FORMAT_VERSION, c });
}

export function encodeClear(clear: {
  readonly namespace: string;
  readonly below: boolean;
  readonly version: number;
}): string {
  const { namespace, below, version } = clear;
  return JSON.stringify({ f: FORMAT_VERSION, clear: [namespace, below, version] });
}

export function encodeWake(): string {
  return JSON.stringify({ f: FORMAT_VERSION });
}

type Fields = { readonly [name: string]: unknown };

const WAKE: BusMessage = { kind: "wake" };

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function change(entry: unknown): BusMessage {
  if (!Array.isArray(entry)) return WAKE;
  const [namespace, key, version]: unknown[] = entry;
  if (typeof namespace !== "string" || typeof key !== "string" || typeof version !== "number")
    return WAKE;
  return { kind: "change", ref: { namespace, key }, version };
}

function clear(entry: unknown): BusMessage {
  if (!Array.isArray(entry)) return WAKE;
  const [namespace, below, version]: unknown[] = entry;
  if (typeof namespace !== "string" || typeof below !== "boolean" || typeof version !== "number")
    return WAKE;
  return { kind: "clear", namespace, below, version };
}

/** What cannot be read, whoever sent it, only says that something happened: the log knows what. */
export function decodeMessage(text: string): readonly BusMessage[] {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return [WAKE];
  }
  if (!isFields(fields) || fields["f"] !== FORMAT_VERSION) return [WAKE];
  if (Array.isArray(fields["c"])) return fields["c"].map(change);
  return [fields["clear"] === undefined ? WAKE : clear(fields["clear"])];
}
