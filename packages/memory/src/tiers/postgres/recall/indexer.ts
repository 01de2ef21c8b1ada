import type { ItemRef } from "../../../model/item.ts";
import type { DocumentReader, IndexStep } from "../../keyword.ts";
import { refId } from "../../tier.ts";
import type { AuthorityContext } from "../authority-context.ts";
import type { Queryable } from "../database.ts";
import type { SettledLog } from "../settled-log.ts";
import { readDead, readFresh, readStored } from "./document-rows.ts";
import { clearNamespaces, readLog, sweepLeavings } from "./index-log.ts";
import { planIndexing } from "./index-plan.ts";
import type { Replacement } from "./index-plan.ts";
import {
  awaitIndex,
  foundIndex,
  lockIndex,
  moveIndex,
  readIndexState,
  saveWalk,
} from "./index-state.ts";
import type { IndexState, LockedIndex } from "./index-state.ts";
import { walkFrom, walkOn } from "./index-walk.ts";
import { carryOut, drawDocuments, numberNamespaces } from "./write-index.ts";

/** Rows of each table that one step frees of what was cleared. */
const LEAVINGS_ROWS_MAX = 5_000;

/** How long the index of another reader may stand still before it is thought to be deserted. */
const STANDBY_SECONDS = 60;

/** What a transaction has done. */
interface Done {
  readonly changes: number;
  readonly documents: number;
}

/**
 * Brings the postings up with the change log, a step at a time. A step is one transaction that holds
 * the consumer's row: whichever server it is does it exactly once, and one that is killed in the midst
 * of it leaves nothing behind. What an item says is read from its row, which may be newer than the
 * change that led to it; then its next change finds nothing to do.
 */
export class Indexer {
  readonly #context: AuthorityContext;
  readonly #log: SettledLog;
  /** Readers whose index this server has asked for: two that differ must not take turns for ever. */
  readonly #asked = new Set<string>();

  constructor(context: AuthorityContext, log: SettledLog) {
    this.#context = context;
    this.#log = log;
  }

  async advance(reader: DocumentReader, bounds: { readonly changes: number }): Promise<IndexStep> {
    const { database, schema } = this.#context;
    let state = await readIndexState(database, schema);
    if (state.reader === undefined) {
      await foundIndex(database, schema);
      state = await readIndexState(database, schema);
    }
    const { settledId } = await this.#log.advance(0);
    if (!this.#hasWork(state, reader, settledId)) return stepOf("idle", state);
    const done = await database.transaction(async (tx) => {
      const locked = await lockIndex(tx, schema);
      if (locked === undefined) return undefined;
      return this.#step(tx, { locked, reader, settledId, limit: bounds.changes });
    });
    if (done === undefined) return stepOf("busy", state);
    this.#asked.add(reader.id);
    return stepOf("worked", await readIndexState(database, schema), done);
  }

  /** Safe beside a step, whose row it takes; what a step does later finds it done. */
  async forget(refs: readonly ItemRef[]): Promise<void> {
    const { database, schema } = this.#context;
    if (refs.length === 0) return;
    await database.transaction(async (tx) => {
      await awaitIndex(tx, schema);
      const dead = await readDead(tx, schema, refs);
      const replacements = dead.map((stored): Replacement => ({
        stored,
        fresh: undefined,
        namespaceId: stored.namespaceId,
        document: stored.document,
      }));
      await carryOut(tx, schema, planIndexing(replacements));
    });
  }

  #hasWork(state: IndexState, reader: DocumentReader, settledId: number): boolean {
    const isOther = state.reader !== "" && state.reader !== reader.id;
    if (isOther && this.#asked.has(reader.id) && state.lag.seconds < STANDBY_SECONDS) return false;
    return (
      isOther ||
      state.isLost ||
      state.walk !== undefined ||
      state.hasLeavings ||
      state.position < settledId
    );
  }

  async #step(
    tx: Queryable,
    work: {
      readonly locked: LockedIndex;
      readonly reader: DocumentReader;
      readonly settledId: number;
      readonly limit: number;
    },
  ): Promise<Done> {
    const { schema } = this.#context;
    const { locked, reader, settledId, limit } = work;
    // What a crash takes back of it is done again.
    await tx.query({ text: "SET LOCAL synchronous_commit = off" });
    let { position, place } = locked;
    const isOther = locked.reader !== "" && locked.reader !== reader.id;
    if (locked.isLost || isOther) {
      // All that was written up to here is seen by the walk that begins.
      position = Math.max(position, settledId);
      place = walkFrom(isOther || place.walk === "all" ? "all" : "changed");
    }
    const stretch = await readLog(tx, schema, { after: position, upTo: settledId, limit });
    await clearNamespaces(tx, schema, stretch.clears);
    let documents = await this.#index(tx, reader, stretch.refs);
    if (place.walk !== undefined) {
      const walked = await walkOn(tx, schema, { place, limit });
      documents += await this.#index(tx, reader, walked.refs);
      ({ place } = walked);
    }
    await sweepLeavings(tx, schema, LEAVINGS_ROWS_MAX);
    await saveWalk(tx, schema, { reader: reader.id, place });
    const isEnd = stretch.rows < limit;
    await moveIndex(tx, schema, isEnd ? Math.max(position, settledId) : stretch.endId);
    return { changes: stretch.rows, documents };
  }

  /** Indexes these items as they are now. Returns how many documents were written or dropped. */
  async #index(tx: Queryable, reader: DocumentReader, refs: readonly ItemRef[]): Promise<number> {
    if (refs.length === 0) return 0;
    const { schema } = this.#context;
    const stored = new Map(
      (await readStored(tx, schema, refs)).map((document) => [refId(document), document]),
    );
    const { documents } = await readFresh(tx, schema, { refs, reader });
    const fresh = new Map(documents.map((document) => [refId(document), document]));
    const added = [...fresh.values()].filter((document) => !stored.has(refId(document)));
    const namespaces = [...new Set(added.map(({ namespace }) => namespace))];
    const numbers = await numberNamespaces(tx, schema, namespaces);
    const drawn = [...(await drawDocuments(tx, schema, added.length))];
    const replacements = refs
      .map((ref): Replacement => {
        const id = refId(ref);
        const isAdded = fresh.has(id) && !stored.has(id);
        return {
          stored: stored.get(id),
          fresh: fresh.get(id),
          namespaceId: numbers.get(ref.namespace) ?? 0,
          document: isAdded ? (drawn.pop() ?? 0) : 0,
        };
      })
      .filter((one) => one.stored !== undefined || one.fresh !== undefined);
    await carryOut(tx, schema, planIndexing(replacements));
    return replacements.length;
  }
}

function stepOf(status: IndexStep["status"], state: IndexState, done?: Done): IndexStep {
  return {
    status,
    changes: done?.changes ?? 0,
    documents: done?.documents ?? 0,
    lag: state.lag,
  };
}
