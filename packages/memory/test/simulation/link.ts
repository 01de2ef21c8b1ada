import type { Scheduler } from "./scheduler.ts";

/** How long messages take. Milliseconds. */
export interface Pace {
  readonly usualMs: number;
  /** Share of messages that are held up, and for how long at most. */
  readonly lateShare: number;
  readonly lateMs: number;
}

/** The way between one server and one service: messages take their time, overtake each other, get lost. */
export class Link {
  readonly #scheduler: Scheduler;
  readonly #pace: Pace;
  /** Nothing comes through until then. */
  #cutUntilMs = Number.NEGATIVE_INFINITY;
  #slowUntilMs = Number.NEGATIVE_INFINITY;
  #slowMs = 0;
  #lossUntilMs = Number.NEGATIVE_INFINITY;
  #lossShare = 0;

  constructor(scheduler: Scheduler, pace: Pace) {
    this.#scheduler = scheduler;
    this.#pace = pace;
  }

  cut(forMs: number): void {
    this.#cutUntilMs = Math.max(this.#cutUntilMs, this.#scheduler.nowMs + forMs);
  }

  /** Every message takes up to this much longer. */
  slow(forMs: number, byMs: number): void {
    this.#slowUntilMs = this.#scheduler.nowMs + forMs;
    this.#slowMs = byMs;
  }

  /** This share of the answers is lost. */
  lose(forMs: number, share: number): void {
    this.#lossUntilMs = this.#scheduler.nowMs + forMs;
    this.#lossShare = share;
  }

  heal(): void {
    this.#cutUntilMs = this.#slowUntilMs = this.#lossUntilMs = Number.NEGATIVE_INFINITY;
  }

  get isCut(): boolean {
    return this.#scheduler.nowMs < this.#cutUntilMs;
  }

  losesAnswer(): boolean {
    const { nowMs, random } = this.#scheduler;
    return this.isCut || (nowMs < this.#lossUntilMs && random() < this.#lossShare);
  }

  delayMs(): number {
    const { nowMs, random } = this.#scheduler;
    const { usualMs, lateShare, lateMs } = this.#pace;
    let delayMs = usualMs * 2 * random();
    if (random() < lateShare) delayMs += lateMs * random();
    if (nowMs < this.#slowUntilMs) delayMs += this.#slowMs * random();
    return delayMs;
  }
}
