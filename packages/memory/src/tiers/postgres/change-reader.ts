import { MemoryError } from "../../model/errors.ts";
import type { ChangePage, FollowPoll, FollowState } from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { changeHorizon, readStretch } from "./queries/changes.ts";
import { loadConsumer, saveConsumer } from "./queries/consumers.ts";
import { followChanges, startFollowing } from "./queries/follow-changes.ts";
import type { SettledLog } from "./settled-log.ts";

/** Rows of the log that one call looks at: a reader of a quiet namespace must not scan it all. */
const STRETCH_ROWS_MAX = 10_000;
/** Changes of one poll; more, and the follower is told to drop everything. */
const FOLLOW_ROWS_MAX = 10_000;
/** Changes of one page. */
const PAGE_CHANGES_MAX = 1000;
/** Characters of a wrong number that an error repeats. */
const SHOWN_MAX = 40;

export interface ChangesRequest {
  readonly namespace: string;
  readonly below: boolean;
  readonly after: number;
  readonly limit: number;
}

/** Readers of the change log: in settled order for consumers, at once for caches. */
export class ChangeReader {
  readonly #context: AuthorityContext;
  readonly #log: SettledLog;

  constructor(context: AuthorityContext, log: SettledLog) {
    this.#context = context;
    this.#log = log;
  }

  /** Position 0 is the start of the log, whatever that is by now. */
  async read(request: ChangesRequest): Promise<ChangePage> {
    const { database, schema } = this.#context;
    const { namespace, below, limit } = request;
    checkRequest(request);
    const { settledId, trimmedId } = await this.#log.advance();
    assertKept(request, trimmedId);
    const after = Math.max(request.after, trimmedId);
    if (after > settledId) await this.#assertDrawn(after);
    if (after >= settledId) return { changes: [], position: after };
    const stretch = await readStretch(database, schema, {
      after,
      upTo: settledId,
      namespace,
      below,
      rowsMax: STRETCH_ROWS_MAX,
      limit,
    });
    // It may have been trimmed since.
    assertKept(request, stretch.trimmedId);
    const { changes, rows, endId } = stretch;
    const last = changes.at(-1);
    if (last !== undefined && changes.length === limit) return { changes, position: last.id };
    return { changes, position: rows === STRETCH_ROWS_MAX ? endId : settledId };
  }

  /**
   * Another server may have proven more settled than this one knows, but nobody can have been given a
   * position above the last id drawn. To wait there would skip all that is written up to it.
   */
  async #assertDrawn(after: number): Promise<void> {
    const { lastId } = await changeHorizon(this.#context.database, this.#context.schema);
    if (after > lastId)
      throw expired(
        `the change log ends at ${lastId}, before position ${after}, which is another database's or from before a restore`,
      );
  }

  async position(): Promise<number> {
    return (await this.#log.advance()).settledId;
  }

  async follow(state: FollowState | undefined): Promise<FollowPoll> {
    const { database, schema, clock } = this.#context;
    const sentAtMs = clock.monotonicMs();
    const followed =
      state === undefined
        ? await startFollowing(database, schema)
        : await followChanges(database, schema, {
            snapshot: state.snapshot,
            rowsMax: FOLLOW_ROWS_MAX,
          });
    const { snapshot, epoch, isTrimmed } = followed;
    const isOverBound = followed.changes.length > FOLLOW_ROWS_MAX;
    return {
      changes: isOverBound ? [] : followed.changes,
      state: { snapshot },
      epoch,
      sentAtMs,
      gap: isTrimmed || isOverBound,
    };
  }

  loadConsumer(name: string): Promise<number | undefined> {
    return loadConsumer(this.#context.database, this.#context.schema, name);
  }

  saveConsumer(name: string, position: number): Promise<void> {
    return saveConsumer(this.#context.database, this.#context.schema, { name, position });
  }
}

function checkRequest({ after, limit }: ChangesRequest): void {
  if (!Number.isSafeInteger(after) || after < 0)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      `after: expected a position of the change log, got ${String(after).slice(0, SHOWN_MAX)}; give back a position unchanged, or 0 for the start`,
      { field: "after" },
    );
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_CHANGES_MAX)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      `limit: expected a whole number from 1 to ${PAGE_CHANGES_MAX}, got ${String(limit).slice(0, SHOWN_MAX)}`,
      { field: "limit" },
    );
}

/** Position 0 asks for whatever the log has; any other for all that came after it. */
function assertKept({ after }: ChangesRequest, trimmedId: number): void {
  if (after > 0 && after < trimmedId)
    throw expired(`the change log starts after position ${trimmedId} now`);
}

function expired(fault: string): MemoryError {
  return new MemoryError(
    "CURSOR_EXPIRED",
    `${fault}; read the items again and go on from changePosition()`,
    { field: "after" },
  );
}
