import type { AuthorityContext } from "./authority-context.ts";
import { changeHorizon, logState } from "./queries/changes.ts";
import type { Horizon } from "./queries/changes.ts";

/** A place is mostly settled within milliseconds: when the writers of that moment have committed. */
const WAITS_MAX = 10;
const WAIT_MS = 10;

/**
 * How far the change log is settled: no change at or below that id can still commit. Ids are drawn
 * before commit, so a reader that simply went on from the last id it saw would skip late ones.
 *
 * It never goes beyond the log's last change: a crash of the database forgets numbers that were drawn
 * for what was rolled back, and draws them again, for changes that a reader past them would skip.
 */
export class SettledLog {
  readonly #context: AuthorityContext;
  #settledId = 0;
  /** A place in the log that waits for the writers that were under way when it was taken. */
  #pending: Horizon | undefined;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  /**
   * Moves on as far as can be proven, waiting up to `waitsMax` short times for writers to end; resolves
   * to the settled id and the start of the log.
   */
  async advance(
    waitsMax: number = WAITS_MAX,
  ): Promise<{ readonly settledId: number; readonly trimmedId: number }> {
    let trimmedId = await this.#settle();
    if (this.#pending !== undefined) return { settledId: this.#settledId, trimmedId };
    const horizon = await changeHorizon(this.#context.database, this.#context.schema);
    if (horizon.lastId > this.#settledId) this.#pending ??= horizon;
    // One wait a place: behind a writer that stays open later calls must not wait again.
    for (let waits = 0; horizon.lastId > this.#settledId; waits += 1) {
      trimmedId = await this.#settle();
      if (this.#pending !== horizon || waits >= waitsMax) break;
      await this.#context.clock.sleep(WAIT_MS);
    }
    return { settledId: this.#settledId, trimmedId };
  }

  async #settle(): Promise<number> {
    const { database, schema } = this.#context;
    const pending = this.#pending;
    const state = await logState(database, schema, pending?.writers ?? []);
    // Another server may have proven more than this one, which may just have started.
    this.#settledId = Math.max(this.#settledId, state.settledId);
    if (pending !== undefined && state.isSettled) {
      const settledId = Math.min(pending.lastId, state.newestId);
      this.#settledId = Math.max(this.#settledId, settledId);
      if (this.#pending === pending) this.#pending = undefined;
    }
    return state.trimmedId;
  }
}
