import type { ItemRef, JsonValue } from "../../src/model/item.ts";
import { refId } from "../../src/tiers/tier.ts";
import { Counts } from "./counts.ts";
import { clearCovers } from "./database-state.ts";
import type { Clear } from "./database-state.ts";
import type { Floors } from "./floors.ts";
import type { History } from "./history.ts";
import { judgeEphemeral, judgeRead } from "./judge-read.ts";
import type { Deleted, Kind, Place, Shown, Span } from "./judge-read.ts";
import { ALL_REFS } from "./keys.ts";
import type { Scheduler } from "./scheduler.ts";

export interface Violation {
  readonly kind:
    Kind | "lost" | "untrue" | "disagree" | "miscounted" | "outran" | "hangs" | "error";
  readonly text: string;
}

/** An operation under way. */
export interface Reading {
  readonly who: string;
  readonly what: string;
  readonly beganMs: number;
  readonly boundMs: number;
  readonly server: Floors;
  readonly session: Floors | undefined;
  /** Of the scheduler: what was shown in events before it binds it. */
  readonly beganAt: number;
}

/** Judges every answer by the history. */
export class Checker {
  readonly violations: Violation[] = [];
  readonly counts = new Counts();
  /** Everything that a loader has brought, and when it began. */
  readonly loads = new Map<JsonValue, number>();
  /** Reads that a copy answered. */
  copies = 0;
  readonly #tied: { readonly refs: readonly ItemRef[]; readonly values: readonly JsonValue[] }[] =
    [];
  /** Reads judged, and those of them that a bound of 0 would not have allowed. */
  reads = 0;
  behind = 0;
  readonly #boundMs: number;
  readonly #history: History;
  readonly #scheduler: Scheduler;
  readonly #deletes = new Map<string, Deleted[]>();
  /** Writes that surely were not done. */
  readonly #refused: { readonly ref: ItemRef; readonly value: JsonValue; readonly what: string }[] =
    [];

  constructor(history: History, scheduler: Scheduler, boundMs: number) {
    this.#boundMs = boundMs;
    this.#history = history;
    this.#scheduler = scheduler;
  }

  fail(kind: Violation["kind"], text: string): void {
    this.violations.push({ kind, text: `${this.#scheduler.nowMs.toFixed(2)} ${text}` });
    this.#scheduler.trace(() => `!!! ${kind}: ${text}`);
  }

  /** The same operation, where it may show what is as old as the bound. */
  withBound(reading: Reading): Reading {
    return { ...reading, boundMs: this.#boundMs };
  }

  read(reading: Reading, ref: ItemRef, shown: Shown): void {
    this.reads += 1;
    const states = this.#history.states(ref);
    const span = this.#span(reading, ref);
    const verdict = judgeRead(states, shown, span);
    if ("place" in verdict) {
      this.#noteBehind(states.length, verdict.place);
      this.#raise(reading, ref, verdict.place);
      return;
    }
    const ephemerals = this.#history.ephemerals(ref);
    const deletes = this.#deletes.get(refId(ref)) ?? [];
    const isEphemeral =
      shown.value !== undefined && ephemerals.some(({ value }) => value === shown.value);
    const kind = isEphemeral
      ? judgeEphemeral({ states, ephemerals, deletes }, shown, { ...span, boundMs: this.#boundMs })
      : verdict.kind;
    if (kind !== undefined) this.fail(kind, this.#told(reading, ref, shown));
  }

  /** A write was acknowledged with this version: it must be in the history, as it was asked for. */
  wrote(
    reading: Reading,
    ref: ItemRef,
    done: { readonly version: number; readonly value: JsonValue | undefined },
  ): void {
    const place = this.#history.states(ref).findIndex(({ version }) => version === done.version);
    const value = this.#history.states(ref)[place]?.value;
    if (place < 0 || value !== done.value)
      this.fail("lost", `${this.#told(reading, ref, done)} at v${done.version}`);
    else this.#raise(reading, ref, place);
  }

  /** A write was refused because of how the item is, which must be true at some moment of it. */
  refusedBecause(reading: Reading, ref: ItemRef, currentVersion: number | undefined): void {
    const state = this.#history.states(ref).find(({ version }) => version === currentVersion);
    if (currentVersion === undefined)
      this.read({ ...reading, boundMs: 0 }, ref, { value: undefined });
    else if (state?.value === undefined)
      this.fail("untrue", `${reading.what} says v${currentVersion}, which never was`);
    else
      this.read({ ...reading, boundMs: 0 }, ref, { value: state.value, version: currentVersion });
  }

  /** The item was touched: its newest version is this one. */
  touched(reading: Reading, ref: ItemRef, version: number): void {
    const place = this.#history.states(ref).findIndex((state) => state.version === version);
    if (place < 0) this.fail("lost", `${reading.what} touched v${version}, which never was`);
    else this.#raise(reading, ref, place);
  }

  /** It was said that surely nothing was written. */
  unwritten(ref: ItemRef, value: JsonValue, what: string): void {
    this.#refused.push({ ref, value, what });
  }

  /** No ephemeral item that was there before is to be shown. */
  deleted(ref: ItemRef, beganMs: number): void {
    const deletes = this.#deletes.get(refId(ref)) ?? [];
    deletes.push({ beganMs, endedMs: this.#scheduler.nowMs });
    this.#deletes.set(refId(ref), deletes);
  }

  /** A conditional write took the place of exactly what it expected; null: of nothing. */
  replaced(
    reading: Reading,
    ref: ItemRef,
    done: { readonly version: number; readonly expected: string | null },
  ): void {
    const states = this.#history.states(ref);
    const place = states.findIndex(({ version }) => version === done.version);
    const before = states[place - 1];
    const madeMs = states[place]?.fromMs ?? 0;
    const wasThere = before?.value !== undefined && before.endsMs > madeMs;
    const isRight = done.expected === null ? !wasThere : before?.version === Number(done.expected);
    if (!isRight)
      this.fail("lost", `${reading.what} replaced v${before?.version}, not v${done.expected}`);
  }

  /** A namespace was emptied: all that was in it is gone for whoever asked for it. */
  cleared(reading: Reading, clear: Clear): void {
    for (const ref of ALL_REFS) {
      if (!clearCovers(clear, ref.namespace)) continue;
      this.deleted(ref, reading.beganMs);
      const states = this.#history.states(ref);
      const place = states.findIndex(({ version }) => version === clear.version);
      if (place > 0) this.#raise(reading, ref, place);
    }
  }

  /** These are written together or not at all. */
  tied(refs: readonly ItemRef[], values: readonly JsonValue[]): void {
    this.#tied.push({ refs, values });
  }

  /** What getOrSet gave: an item, or what somebody has just loaded and could not store. */
  loaded(reading: Reading, ref: ItemRef, value: JsonValue): void {
    const isStored = this.#history.states(ref).some((state) => state.value === value);
    if (isStored || !this.loads.has(value)) this.read(reading, ref, { value });
  }

  /** What a loader brought is stored only if nobody has changed the item since it began. */
  #judgeLoads(): void {
    for (const ref of ALL_REFS) {
      const states = this.#history.states(ref);
      for (const [index, state] of states.entries()) {
        const beganMs = state.value === undefined ? undefined : this.loads.get(state.value);
        const outran = states[index - 1];
        // It was only touched.
        if (outran?.value === state.value) continue;
        if (beganMs === undefined || outran === undefined || outran.fromMs <= beganMs) continue;
        const before = states[index - 2];
        // A tombstone of what had expired by itself is no change.
        if (before !== undefined && before.endsMs <= outran.fromMs) continue;
        this.fail("outran", `${JSON.stringify(state.value)} was loaded before v${outran.version}`);
      }
    }
  }

  /** What is looked at when all is over. */
  finish(): void {
    this.#judgeLoads();
    for (const { refs, values } of this.#tied) {
      const times = refs.map(
        (ref, index) =>
          this.#history.states(ref).find(({ value }) => value === values[index])?.fromMs,
      );
      if (new Set(times).size > 1)
        this.fail(
          "untrue",
          `an atomic batch was written in part: ${JSON.stringify(values)} at ${times.join()}`,
        );
    }
    this.counts.finish(this.#history, (text) => this.fail("miscounted", text));
    for (const { ref, value, what } of this.#refused)
      if (this.#history.states(ref).some((state) => state.value === value))
        this.fail("untrue", `${what} said that nothing was written, and it was`);
  }

  #span(reading: Reading, ref: ItemRef): Span {
    const { beganMs, boundMs, beganAt, server, session } = reading;
    const shown = { kind: "nonMonotonic" as const, place: server.before(ref, beganAt) };
    const seen = session && { kind: "session" as const, place: session.before(ref, beganAt) };
    const floors = seen === undefined ? [shown] : [shown, seen];
    return { beganMs, endedMs: this.#scheduler.nowMs, boundMs, floors };
  }

  #raise({ server, session }: Reading, ref: ItemRef, place: Place): void {
    const at = this.#scheduler.events;
    server.raise(ref, place, at);
    session?.raise(ref, place, at);
  }

  #noteBehind(states: number, place: Place): void {
    if (Math.floor(place) < states - 1) this.behind += 1;
  }

  #told({ who, what, beganMs }: Reading, ref: ItemRef, shown: Shown): string {
    const states = this.#history
      .states(ref)
      .slice(-4)
      .map(
        ({ version, value, fromMs }) => `v${version}=${JSON.stringify(value)}@${fromMs.toFixed(1)}`,
      );
    return `${who} ${what} of ${ref.namespace}:${ref.key} began ${beganMs.toFixed(2)} and showed ${JSON.stringify(shown.value)}; it was ${states.join(" ")}`;
  }
}
