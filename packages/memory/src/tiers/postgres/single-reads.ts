import { isMemoryError, toMemoryError } from "../../model/errors.ts";
import type { ErrorCode } from "../../model/errors.ts";
import type { ItemRecord, ItemRef } from "../../model/item.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { readCall, settledOf } from "./queries/read-items.ts";

/** Reads that one statement answers: all wait for the last of their bodies, a megabyte each at most. */
export const SHARED_READS_MAX = 32;

/**
 * Of these one row may be the cause, so the other reads are asked again without it. Any other code
 * says that the database cannot be asked at all.
 */
const ROW_FAILURES: ReadonlySet<ErrorCode> = new Set(["CORRUPT_VALUE", "INTERNAL"]);

interface Read {
  readonly ref: ItemRef;
  readonly resolve: (record: ItemRecord | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads of one item each. One that is alone goes at once; those that are begun in the same turn, or
 * while all connections are busy, go together as one statement: most of what a read costs this
 * process is the statement, not the row. Each read is answered by a statement that was sent after it
 * began, so it sees whatever it would have seen alone.
 */
export class SingleReads {
  readonly #context: AuthorityContext;
  /** The reads of the next statement, which has no connection yet. */
  #gathering: Read[] | undefined;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  /** The live item; undefined = surely absent. */
  read(ref: ItemRef): Promise<ItemRecord | undefined> {
    return new Promise((resolve, reject) => {
      const reads = this.#gathering ?? this.#begin();
      reads.push({ ref, resolve, reject });
      if (reads.length === SHARED_READS_MAX) this.#close(reads);
    });
  }

  #begin(): Read[] {
    const reads: Read[] = [];
    this.#gathering = reads;
    // Not at once: whoever gets several answers at a time asks for several more, one after another.
    process.nextTick(() => void this.#send(reads));
    return reads;
  }

  /** No more reads go with these. */
  #close(reads: readonly Read[]): void {
    if (this.#gathering === reads) this.#gathering = undefined;
  }

  /** Never rejects: each read is told. */
  async #send(reads: readonly Read[]): Promise<void> {
    const { database, schema, clock } = this.#context;
    let sentAtMs = 0;
    try {
      const rows = await database.query(() => {
        this.#close(reads);
        sentAtMs = clock.monotonicMs();
        return readCall(schema, refsOf(reads));
      });
      const settled = settledOf(rows, refsOf(reads), sentAtMs);
      for (const [index, { resolve, reject }] of reads.entries()) {
        const answer = settled[index];
        if (isMemoryError(answer)) reject(answer);
        else resolve(answer);
      }
    } catch (error) {
      this.#close(reads);
      await this.#fail(reads, error);
    }
  }

  async #fail(reads: readonly Read[], error: unknown): Promise<void> {
    if (reads.length > 1 && ROW_FAILURES.has(toMemoryError(error).code)) {
      for (const read of reads) await this.#send([read]);
      return;
    }
    for (const { reject } of reads) reject(error);
  }
}

function refsOf(reads: readonly Read[]): ItemRef[] {
  return reads.map(({ ref }) => ref);
}
