import { toMemoryError } from "../../model/errors.ts";
import type { ItemRef } from "../../model/item.ts";
import type { ForgetChunk, RemoveOperation, Selection } from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import type { Queryable } from "./database.ts";
import { writeInTransaction } from "./item-writer.ts";
import { orderByKey } from "./operation-order.ts";
import { beginWrite } from "./queries/begin-write.ts";
import { lockMatching } from "./queries/lock-matching.ts";
import { readItems } from "./queries/read-items.ts";
import { EVERYTHING, criteriaOf } from "./search/criteria.ts";
import type { Criteria } from "./search/criteria.ts";
import { decodeCursor, encodeCursor, requestHash } from "./search/cursor.ts";
import { findPage } from "./search/page-finder.ts";

type Forgotten = ForgetChunk["forgotten"];

export interface ChunkRequest {
  readonly selection: Selection;
  readonly limit: number;
  readonly after: string | undefined;
  /** Only items that were not written since this version was drawn. */
  readonly versionMax?: number;
}

/** INVALID_CURSOR when it is not a place in forgetting just this. */
export function assertCursor(selection: Selection, cursor: string): void {
  decodeCursor(cursor, hashOf(selection));
}

/** Whether it is a place in forgetting just this, written as this release writes it. */
export function isCursor(selection: Selection, cursor: string): boolean {
  try {
    assertCursor(selection, cursor);
    return true;
  } catch (error) {
    if (toMemoryError(error).code !== "INVALID_CURSOR") throw error;
    return false;
  }
}

/** Removes what a selection names, a bounded chunk at a time. */
export class Forgetter {
  readonly #context: AuthorityContext;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  /** One chunk in a transaction of its own. */
  forgetChunk(request: ChunkRequest): Promise<ForgetChunk> {
    return this.#context.database.transaction(async (tx) => {
      await beginWrite(tx, this.#context.schema);
      return this.forgetIn(tx, request);
    });
  }

  /** What a chunk would forget. */
  async listChunk(request: ChunkRequest): Promise<ForgetChunk> {
    const { database, schema, clock } = this.#context;
    const { keys } = request.selection;
    if (keys === undefined) {
      const { page, next } = await this.#find(database, request);
      const forgotten = page.found.map(({ ref, version }) => ({ ...ref, version }));
      return { forgotten, examined: page.examined, next };
    }
    const { refs, next } = this.#keyChunk(request, keys);
    const records = await readItems(database, schema, { refs, sentAtMs: clock.monotonicMs() });
    const forgotten = records
      .filter((record) => record !== undefined)
      .map(({ namespace, key, version }) => ({ namespace, key, version }));
    return { forgotten, examined: refs.length, next };
  }

  /** One chunk inside a transaction that holds the write lock. */
  async forgetIn(tx: Queryable, request: ChunkRequest): Promise<ForgetChunk> {
    const { keys } = request.selection;
    if (keys !== undefined) {
      const { refs, next } = this.#keyChunk(request, keys);
      const { versionMax } = request;
      const criteria = { ...EVERYTHING, versionMax };
      // Without a bound there is nothing to judge, and the removal itself locks the rows.
      const left = versionMax === undefined ? refs : await this.#lock(tx, refs, criteria);
      return { forgotten: await this.#remove(tx, left), examined: refs.length, next };
    }
    const { page, next, criteria } = await this.#find(tx, request);
    const refs = await this.#lock(
      tx,
      page.found.map(({ ref }) => ref),
      criteria,
    );
    return { forgotten: await this.#remove(tx, refs), examined: page.examined, next };
  }

  async #lock(
    tx: Queryable,
    refs: readonly ItemRef[],
    criteria: Criteria,
  ): Promise<readonly ItemRef[]> {
    return refs.length === 0 ? [] : lockMatching(tx, this.#context.schema, { refs, criteria });
  }

  async #remove(tx: Queryable, refs: readonly ItemRef[]): Promise<Forgotten> {
    if (refs.length === 0) return [];
    const { sorted } = orderByKey(
      refs.map(({ namespace, key }): RemoveOperation => ({ kind: "remove", namespace, key })),
    );
    const { results } = await writeInTransaction(tx, this.#context, {
      operations: sorted,
      onConflict: "report",
      idempotency: undefined,
    });
    return results.flatMap((result, index) => {
      const ref = sorted[index];
      if (result.status !== "written" || ref === undefined) return [];
      return [{ namespace: ref.namespace, key: ref.key, version: result.version }];
    });
  }

  async #find(database: Queryable, request: ChunkRequest) {
    const { schema, clock, limits } = this.#context;
    const { namespace, below, ...wanted } = request.selection;
    const criteria = { ...criteriaOf(wanted, limits), versionMax: request.versionMax };
    const hash = hashOf(request.selection);
    const page = await findPage(database, schema, {
      namespace,
      below,
      criteria,
      position: request.after === undefined ? undefined : decodeCursor(request.after, hash),
      limit: request.limit,
      brings: "refs",
      sentAtMs: clock.monotonicMs(),
    });
    const next = page.next === undefined ? undefined : encodeCursor(page.next, hash);
    return { page, next, criteria };
  }

  /** The next of the keys given, in the order given. */
  #keyChunk(
    { selection, limit, after }: ChunkRequest,
    keys: readonly string[],
  ): { readonly refs: readonly ItemRef[]; readonly next: string | undefined } {
    const { namespace } = selection;
    const hash = hashOf(selection);
    const distinct = [...new Set(keys)];
    const done = after === undefined ? undefined : decodeCursor(after, hash).after.key;
    const start = done === undefined ? 0 : distinct.indexOf(done) + 1;
    const chunk = distinct.slice(start, start + limit);
    const last = chunk.at(-1);
    const isLast = start + limit >= distinct.length || last === undefined;
    return {
      refs: chunk.map((key) => ({ namespace, key })),
      next: isLast
        ? undefined
        : encodeCursor({ after: { namespace, key: last }, walks: true }, hash),
    };
  }
}

function hashOf(selection: Selection): string {
  const { namespace, below, keys, pattern, metadataFilter, tags } = selection;
  return requestHash(
    [namespace, below, keys, pattern, metadataFilter, tags].map((part) => part ?? null),
  );
}
