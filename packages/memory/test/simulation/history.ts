import { Codec } from "../../src/codec/codec.ts";
import type { ItemRecord, ItemRef, JsonValue } from "../../src/model/item.ts";
import { refId } from "../../src/tiers/tier.ts";
import { clearCovers } from "./database-state.ts";
import type { Clear, CommitListener, Row } from "./database-state.ts";
import type { Scheduler } from "./scheduler.ts";
import { WALL_START_MS } from "./simulated-process.ts";
import type { EphemeralListener } from "./simulated-redis.ts";

/** What an item was from one commit to the next, or until its lifetime was over. */
export interface KnownState {
  readonly version: number;
  /** Undefined: there was no item. */
  readonly value: JsonValue | undefined;
  readonly fromMs: number;
  /** When it was followed by another. */
  untilMs: number;
  /** End of its lifetime. */
  readonly endsMs: number;
}

/** An ephemeral item as it was set in the shared tier. */
export interface EphemeralState {
  readonly version: number;
  readonly value: JsonValue;
  readonly atMs: number;
  readonly endsMs: number;
}

interface Line {
  readonly ref: ItemRef;
  readonly states: KnownState[];
}

const NEVER: KnownState = {
  version: 0,
  value: undefined,
  fromMs: Number.NEGATIVE_INFINITY,
  untilMs: Number.POSITIVE_INFINITY,
  endsMs: Number.POSITIVE_INFINITY,
};

/** What really happened, and when: the simulation knows each commit to the instant. */
export class History implements CommitListener, EphemeralListener {
  readonly #scheduler: Scheduler;
  readonly #codec = new Codec({ encryptionKeys: [] });
  readonly #lines = new Map<string, Line>();
  readonly #ephemerals = new Map<string, EphemeralState[]>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  committed(row: Row): void {
    const value = row.body === undefined ? undefined : this.#codec.decode(row.body, row);
    const endsMs = row.expiresAtMs === undefined ? Infinity : row.expiresAtMs - WALL_START_MS;
    this.#push(this.#line(row), { version: row.version, value, endsMs });
  }

  cleared(clear: Clear): void {
    this.#scheduler.trace(() => `    committed: ${clear.namespace} cleared v${clear.version}`);
    for (const line of this.#lines.values()) {
      const last = line.states.at(-1);
      if (last?.value === undefined || !clearCovers(clear, line.ref.namespace)) continue;
      this.#push(line, { version: clear.version, value: undefined, endsMs: Infinity });
    }
  }

  ephemeralSet(name: string, record: ItemRecord, endsMs: number): void {
    const id = name.slice(name.indexOf("|") + 1);
    const value = this.#codec.decode(record.body, record);
    const states = this.#ephemerals.get(id) ?? [];
    this.#scheduler.trace(
      () =>
        `    in Redis: ${record.namespace}:${record.key} = ${JSON.stringify(value)} until ${endsMs}`,
    );
    states.push({ version: record.version, value, atMs: this.#scheduler.nowMs, endsMs });
    this.#ephemerals.set(id, states);
  }

  states(ref: ItemRef): readonly KnownState[] {
    return this.#line(ref).states;
  }

  ephemerals(ref: ItemRef): readonly EphemeralState[] {
    return this.#ephemerals.get(refId(ref)) ?? [];
  }

  #line({ namespace, key }: ItemRef): Line {
    const id = refId({ namespace, key });
    let line = this.#lines.get(id);
    if (line === undefined) {
      line = { ref: { namespace, key }, states: [{ ...NEVER }] };
      this.#lines.set(id, line);
    }
    return line;
  }

  #push(
    { ref, states }: Line,
    { version, value, endsMs }: Pick<KnownState, "version" | "value" | "endsMs">,
  ): void {
    const { nowMs } = this.#scheduler;
    const last = states.at(-1);
    if (last !== undefined) last.untilMs = nowMs;
    states.push({ version, value, fromMs: nowMs, untilMs: Infinity, endsMs });
    this.#scheduler.trace(
      () => `    committed: ${ref.namespace}:${ref.key} v${version} = ${JSON.stringify(value)}`,
    );
  }
}
