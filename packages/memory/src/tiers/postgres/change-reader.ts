import { MemoryError } from "../../model/errors.ts";
import type { ChangePage, FollowPoll, FollowState } from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { readStretch } from "./queries/changes.ts";
import { loadConsumer, saveConsumer } from "./queries/consumers.ts";
import { followChanges, startFollowing } from "./queries/follow-changes.ts";
import type { SettledLog } from "./settled-log.ts";

/** Rows of the log that one call looks at: a reader of a quiet namespace must not scan it all. */
const STRETCH_ROWS_MAX = 10_000;
/** Changes of one poll; more, and the follower is told to drop everything. */
const FOLLOW_ROWS_MAX = 10_000;

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
    const { settledId, trimmedId } = await this.#log.advance();
    if (request.after > 0 && request.after < trimmedId)
      throw new MemoryError(
        "CURSOR_EXPIRED",
        `the change log starts after position ${trimmedId} now; read the items again and go on from there`,
        { field: "after" },
      );
    const after = Math.max(request.after, trimmedId);
    if (after >= settledId) return { changes: [], position: after };
    const stretch = await readStretch(database, schema, {
      after,
      upTo: settledId,
      namespace,
      below,
      rowsMax: STRETCH_ROWS_MAX,
      limit,
    });
    const { changes, rows, endId } = stretch;
    const last = changes.at(-1);
    if (last !== undefined && changes.length === limit) return { changes, position: last.id };
    return { changes, position: rows === STRETCH_ROWS_MAX ? endId : settledId };
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
