import type { JsonValue } from "../../src/model/item.ts";
import type { EphemeralState, KnownState } from "./history.ts";

/** What a read has shown; the version where it is told. */
export type Shown =
  { readonly value: undefined } | { readonly value: JsonValue; readonly version?: number };

export interface Span {
  readonly beganMs: number;
  readonly endedMs: number;
  /** How old what is shown may be. */
  readonly boundMs: number;
  /** No state before this one may be shown: see `Place`. */
  readonly floors: readonly { readonly place: Place; readonly kind: "session" | "nonMonotonic" }[];
}

/** The n-th state of an item is n; the absence after its lifetime n + 1/2. */
export type Place = number;

export type Kind =
  "phantom" | "expired" | "stale" | "resurrected" | "session" | "nonMonotonic" | "ephemeral";

export type Verdict = { readonly place: Place } | { readonly kind: Kind };

/** Judges a read of a durable item by what the item really was; the earliest place that it may be. */
export function judgeRead(states: readonly KnownState[], shown: Shown, span: Span): Verdict {
  let worst: Kind = "phantom";
  for (let index = 0; index < states.length; index += 1) {
    const state = states[index];
    if (state === undefined) continue;
    for (const { place, fromMs, untilMs, value } of phases(state, index)) {
      if (!matches(shown, value, state.version) || fromMs > span.endedMs) continue;
      const fault = faultOf({ place, untilMs, value }, span, states);
      if (fault === undefined) return { place };
      worst = fault;
    }
  }
  return { kind: worst };
}

interface Phase {
  readonly place: Place;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly value: JsonValue | undefined;
}

/** A state with a lifetime is followed by its absence. */
function phases({ value, fromMs, untilMs, endsMs }: KnownState, index: number): readonly Phase[] {
  if (value === undefined || endsMs >= untilMs) return [{ place: index, fromMs, untilMs, value }];
  return [
    { place: index, fromMs, untilMs: endsMs, value },
    { place: index + 0.5, fromMs: endsMs, untilMs, value: undefined },
  ];
}

function matches(shown: Shown, value: JsonValue | undefined, version: number): boolean {
  if (shown.value === undefined || value === undefined) return shown.value === value;
  return shown.value === value && (shown.version === undefined || shown.version === version);
}

function faultOf(
  { place, untilMs, value }: Pick<Phase, "place" | "untilMs" | "value">,
  { beganMs, boundMs, floors }: Span,
  states: readonly KnownState[],
): Kind | undefined {
  const state = states[Math.floor(place)];
  if (value !== undefined && state !== undefined && state.endsMs <= beganMs) return "expired";
  if (untilMs < beganMs - boundMs) {
    const next = states[Math.floor(place) + 1];
    return value !== undefined && next?.value === undefined ? "resurrected" : "stale";
  }
  return floors.find((floor) => place < floor.place)?.kind;
}

/** An ephemeral item that was deleted: what was set before is not shown later than the bound. */
export interface Deleted {
  readonly beganMs: number;
  readonly endedMs: number;
}

/** Judges a read that has shown an ephemeral item: no durable one may have been there. */
export function judgeEphemeral(
  known: {
    readonly states: readonly KnownState[];
    readonly ephemerals: readonly EphemeralState[];
    readonly deletes: readonly Deleted[];
  },
  shown: Shown,
  span: Span,
): Kind | undefined {
  const { beganMs, endedMs, boundMs } = span;
  const sets = known.ephemerals.filter(
    ({ value, version }) =>
      value === shown.value &&
      (!("version" in shown) || shown.version === undefined || shown.version === version),
  );
  if (sets.length === 0) return "phantom";
  const alive = sets.filter(({ endsMs, atMs }) => endsMs > beganMs && atMs <= endedMs);
  if (alive.length === 0) return "expired";
  const horizonMs = beganMs - boundMs;
  const standing = alive.filter(
    ({ atMs }) =>
      !known.deletes.some((one) => atMs < one.beganMs && one.endedMs < horizonMs) &&
      !known.states.some((state, index) => {
        const before = known.states[index - 1];
        // The sweep's tombstone of what had expired by itself changes nothing.
        const isChange = before !== undefined && before.endsMs > state.fromMs;
        return isChange && atMs < state.fromMs && state.fromMs < horizonMs;
      }),
  );
  if (standing.length === 0) return "ephemeral";
  const absent = judgeRead(known.states, { value: undefined }, { ...span, floors: [] });
  return "kind" in absent ? absent.kind : undefined;
}
