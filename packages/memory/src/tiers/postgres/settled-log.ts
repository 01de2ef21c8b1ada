import type { AuthorityContext } from "./authority-context.ts";
import { changeHorizon, logState } from "./queries/changes.ts";

/**
 * How far the change log is settled: no change at or below that id can still commit. Ids are drawn
 * before commit, so a reader that simply went on from the last id it saw would skip late ones.
 */
export class SettledLog {
  readonly #context: AuthorityContext;
  #settledId = 0;
  /** A place in the log that waits for the transactions that were under way when it was taken. */
  #pending: { readonly lastId: number; readonly xid: string } | undefined;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  get settledId(): number {
    return this.#settledId;
  }

  /** Moves on as far as can be proven now; resolves to the settled id and the start of the log. */
  async advance(): Promise<{ readonly settledId: number; readonly trimmedId: number }> {
    const { database, schema } = this.#context;
    if (this.#pending === undefined) {
      const { lastId, xid } = await changeHorizon(database, schema, this.#settledId);
      if (xid !== undefined) this.#pending ??= { lastId, xid };
    }
    const pending = this.#pending;
    const state = await logState(database, schema, pending?.xid ?? "0");
    // Another server may have proven more than this one, which may just have started.
    this.#settledId = Math.max(this.#settledId, state.settledId);
    if (pending !== undefined && state.isSettled) {
      this.#settledId = Math.max(this.#settledId, pending.lastId);
      if (this.#pending === pending) this.#pending = undefined;
    }
    return { settledId: this.#settledId, trimmedId: state.trimmedId };
  }
}
