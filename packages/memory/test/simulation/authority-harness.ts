import { MemoryError } from "../../src/model/errors.ts";
import type {
  AuthorityTier,
  ChangePage,
  WriteOperation,
  WriteOptions,
  WriteResult,
} from "../../src/tiers/authority.ts";
import { clearCovers } from "./database-state.ts";
import { DatabaseCalls } from "./database-calls.ts";
import { Link } from "./link.ts";
import { Pump } from "./pump.ts";
import { SimulatedAuthority } from "./simulated-authority.ts";
import { SimulatedDatabase } from "./simulated-database.ts";
import { SimulatedProcess } from "./simulated-process.ts";

const AT_ONCE = { usualMs: 0, lateShare: 0, lateMs: 0 };
const HOUR_MS = 3_600_000;

const PAGE_MAX = 1000;

function beyond(what: string): MemoryError {
  return new MemoryError("CAPABILITY_UNAVAILABLE", `the simulated database ${what}`);
}

/** What the suite asks of an authority beside what managers do: the log as its consumers read it. */
class ReadableAuthority extends SimulatedAuthority {
  readonly #database: SimulatedDatabase;

  constructor(database: SimulatedDatabase, process: SimulatedProcess, calls: DatabaseCalls) {
    super(database, process, calls);
    this.#database = database;
  }

  override async write(
    operations: readonly WriteOperation[],
    options: WriteOptions = {},
  ): Promise<readonly WriteResult[]> {
    if (options.idempotency !== undefined) throw beyond("keeps no receipts");
    return super.write(operations, options);
  }

  override changePosition = async (): Promise<number> =>
    this.#database.state.changes.at(-1)?.id ?? 0;

  override readChanges: AuthorityTier["readChanges"] = async (request): Promise<ChangePage> => {
    const { namespace, below, after, limit } = request;
    const isChecked = after > (await this.changePosition()) || limit < 1 || limit > PAGE_MAX;
    if (isChecked) throw beyond("checks no request");
    const scope = { namespace, below, version: 0 };
    const all = this.#database.state.changes.toSorted((a, b) => a.id - b.id);
    const changes = all
      .filter(({ id, namespace: of }) => id > after && clearCovers(scope, of))
      .slice(0, limit);
    const last = changes.length === limit ? changes.at(-1) : all.at(-1);
    return { changes, position: Math.max(after, last?.id ?? 0) };
  };
}

/** The simulated database without faults, for the suite that the real one passes. */
export class AuthorityHarness {
  readonly #pump = new Pump();
  readonly authority: AuthorityTier;

  constructor() {
    const { scheduler } = this.#pump;
    const database = new SimulatedDatabase({
      scheduler,
      listener: { committed: () => {}, cleared: () => {} },
      commitMs: () => 0,
      followMax: 10_000,
      tombstoneMs: HOUR_MS,
    });
    const process = new SimulatedProcess("suite", scheduler);
    const link = new Link(scheduler, AT_ONCE);
    const calls = new DatabaseCalls({ scheduler, process, database, link, timeoutMs: HOUR_MS });
    this.authority = new ReadableAuthority(database, process, calls);
    // Cases wait by the real clock.
    this.#pump.followRealTime();
  }

  stop(): Promise<void> {
    return this.#pump.stop();
  }
}
