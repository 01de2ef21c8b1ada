import type { ItemRecord } from "../../src/model/item.ts";
import type { BusMessage } from "../../src/tiers/shared.ts";
import type { Link } from "./link.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** What one key holds; `endsAtMs`: when it is gone by itself, by this server's clock. */
export type SharedSlot =
  | {
      readonly kind: "copy";
      readonly record: ItemRecord;
      readonly provenAt: number;
      readonly endsAtMs: number;
    }
  | { readonly kind: "marker"; readonly version: number; readonly endsAtMs: number }
  | {
      readonly kind: "lease";
      readonly floor: number;
      readonly token: string;
      readonly sinceMs: number;
      readonly endsAtMs: number;
    }
  | {
      readonly kind: "ephemeral";
      readonly record: ItemRecord;
      readonly provenAt: number;
      readonly baseVersion: number;
      readonly endsAtMs: number;
    };

interface Subscriber {
  readonly process: SimulatedProcess;
  readonly link: Link;
  readonly channel: () => string;
  readonly hear: (message: BusMessage) => void;
}

/** Told of what became of ephemeral items, which have their authority here. */
export interface EphemeralListener {
  ephemeralSet(name: string, record: ItemRecord, endsAtMs: number): void;
}

export interface RedisOptions {
  readonly scheduler: Scheduler;
  readonly listener: EphemeralListener;
  /** A message is heard twice. */
  readonly repeatShare: number;
}

/** One Redis: it does one command after another, and may forget, go back in time, or be away. */
export class SimulatedRedis {
  slots = new Map<string, SharedSlot>();
  readonly listener: EphemeralListener;
  readonly #scheduler: Scheduler;
  readonly #repeatShare: number;
  #subscribers: Subscriber[] = [];
  #awayUntilMs = Number.NEGATIVE_INFINITY;
  #deafUntilMs = Number.NEGATIVE_INFINITY;
  #tokens = 0;

  constructor({ scheduler, listener, repeatShare }: RedisOptions) {
    this.#scheduler = scheduler;
    this.listener = listener;
    this.#repeatShare = repeatShare;
  }

  /** Whole milliseconds, as Redis counts. */
  get nowMs(): number {
    return Math.floor(this.#scheduler.nowMs);
  }

  get isAway(): boolean {
    return this.#scheduler.nowMs < this.#awayUntilMs;
  }

  find(name: string): SharedSlot | undefined {
    const slot = this.slots.get(name);
    if (slot === undefined || slot.endsAtMs > this.nowMs) return slot;
    this.slots.delete(name);
    return undefined;
  }

  trace(line: () => string): void {
    this.#scheduler.trace(line);
  }

  newToken(): string {
    this.#tokens += 1;
    return `t${this.#tokens}`;
  }

  subscribe(subscriber: Subscriber): void {
    this.#subscribers = this.#subscribers.filter(({ process }) => process.isAlive);
    this.#subscribers.push(subscriber);
  }

  publish(channel: string, message: BusMessage): void {
    const { random } = this.#scheduler;
    for (const { process, link, channel: listensTo, hear } of this.#subscribers) {
      if (!process.isAlive || this.#scheduler.nowMs < this.#deafUntilMs || link.losesAnswer())
        continue;
      const times = random() < this.#repeatShare ? 2 : 1;
      for (let time = 0; time < times; time += 1)
        this.#scheduler.after(link.delayMs(), () =>
          process.deliver(() => {
            if (listensTo() === channel) hear(message);
          }),
        );
    }
  }

  flush(): void {
    this.slots.clear();
  }

  evict(share: number): void {
    for (const name of this.slots.keys())
      if (this.#scheduler.random() < share) this.slots.delete(name);
  }

  remember(): ReadonlyMap<string, SharedSlot> {
    return new Map(this.slots);
  }

  /** A replica takes over that lags, or a restart brings an older file back. */
  goBack(to: ReadonlyMap<string, SharedSlot>): void {
    this.slots = new Map(to);
  }

  away(forMs: number): void {
    this.#awayUntilMs = this.#scheduler.nowMs + forMs;
    this.deafen(forMs);
  }

  /** The bus is cut; whoever subscribes again is woken. */
  deafen(forMs: number): void {
    this.#deafUntilMs = Math.max(this.#deafUntilMs, this.#scheduler.nowMs + forMs);
    this.#scheduler.after(forMs, () => {
      for (const { process, hear } of this.#subscribers)
        process.deliver(() => {
          hear({ kind: "wake" });
        });
    });
  }

  heal(): void {
    this.#awayUntilMs = this.#deafUntilMs = Number.NEGATIVE_INFINITY;
  }
}
