import type { SweepReport } from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { deleteOldJobs } from "./queries/jobs.ts";
import {
  expireItems,
  purgeTombstones,
  sweepClear,
  trimChanges,
  trimIdempotency,
  trimLeases,
} from "./queries/sweeps.ts";
import type { Retention } from "./retention.ts";
import type { SettledLog } from "./settled-log.ts";

/** Frees what nobody can see any more. Any number of servers may do it at once. */
export class Maintenance {
  readonly #context: AuthorityContext;
  readonly #log: SettledLog;
  readonly #retention: Retention;

  constructor(context: AuthorityContext, log: SettledLog, retention: Retention) {
    this.#context = context;
    this.#log = log;
    this.#retention = retention;
  }

  async sweep(limit: number): Promise<SweepReport> {
    const { database, schema } = this.#context;
    const retention = this.#retention;
    const expired = await expireItems(database, schema, limit);
    await sweepClear(database, schema, limit);
    const purgedTombstones = await purgeTombstones(database, schema, {
      limit,
      ageSeconds: retention.tombstoneSeconds,
    });
    const { settledId } = await this.#log.advance(0);
    const trimmedChanges = await trimChanges(database, schema, {
      limit,
      ageSeconds: retention.changeSeconds,
      rowsMax: retention.outboxMaxRows,
      settledId,
    });
    const trimmedIdempotency = await trimIdempotency(database, schema, {
      limit,
      ageSeconds: retention.idempotencySeconds,
    });
    await trimLeases(database, schema, limit);
    await deleteOldJobs(database, schema, { limit, ageSeconds: retention.finishedJobSeconds });
    return { expired, purgedTombstones, trimmedChanges, trimmedIdempotency };
  }
}
