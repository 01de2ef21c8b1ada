import { expect, test } from "vitest";
import { startPostgres } from "@cherry-ai/services";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import { Copies } from "../../src/coherence/copies.ts";
import { Follower } from "../../src/coherence/follower.ts";
import { covers, horizonOf } from "../../src/coherence/horizon.ts";
import { ItemHash } from "../../src/coherence/item-hash.ts";
import { RecentChanges } from "../../src/coherence/recent-changes.ts";
import { Validity } from "../../src/coherence/validity.ts";
import { systemClock } from "../../src/model/clock.ts";
import { seededRandom } from "../../src/testing/index.ts";
import { ProcessTier } from "../../src/tiers/process/process-tier.ts";
import type { Database } from "../../src/tiers/postgres/database.ts";
import { SCHEMA } from "../support/databases.ts";
import { openRig, pgDatabase, put, putStatement, writeOne, writtenVersion } from "./support.ts";
import type { Rig } from "./support.ts";

const NAMESPACE = "crash";
const REF = { namespace: NAMESPACE, key: "k" };
/** More than opening takes after the crash, so that the next write's number is one of theirs. */
const UNDONE = 20;

async function rollBack(database: Database, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const undone = database.transaction(async (tx) => {
      await tx.query({ text: putStatement("undone", NAMESPACE) });
      throw new Error("rolled back");
    });
    await expect(undone).rejects.toThrow("rolled back");
  }
}

async function numberIn(database: Database, text: string): Promise<number> {
  const [row] = await database.query({ text });
  return Number(row?.["n"]);
}

const NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS n";
const LAST_WRITER = `SELECT xid::text AS n FROM ${SCHEMA}.changes ORDER BY id DESC LIMIT 1`;

/** Polls whichever authority there is: its pool does not outlive the server here. */
class Server {
  rig: Rig;
  readonly copies = new Copies({
    objects: undefined,
    bytes: new ProcessTier({
      maxBytes: 1 << 22,
      maxItems: 9,
      clock: systemClock,
      eviction: "lru",
    }),
  });
  readonly recent = new RecentChanges({ hash: new ItemHash(seededRandom(1)) });
  readonly follower: Follower;

  constructor(rig: Rig) {
    this.rig = rig;
    this.follower = new Follower({
      authority: { follow: (state) => this.rig.authority.follow(state) },
      copies: this.copies,
      validity: new Validity(systemClock, 1000),
      clock: systemClock,
      recent: this.recent,
    });
  }

  copy(): number | undefined {
    return this.copies.bytes?.find(NAMESPACE, REF.key)?.version;
  }
}

describeWithPostgres("PostgreSQL that gives transaction ids again after a crash", () => {
  test("hides no change from who had seen them in use: not from copies, shared ones, sessions", async () => {
    // Nothing is flushed but by commits: what was rolled back leaves no trace after the crash.
    const postgres = await startPostgres({ settings: { wal_writer_delay: "10s" } });
    try {
      const url = await postgres.databaseUrl("follow");
      const before = await openRig(pgDatabase(url));
      const server = new Server(before);
      await server.follower.poll();
      const old = writtenVersion(await writeOne(before.authority, put(REF.key, REF)));
      await rollBack(before.database, UNDONE);
      await server.follower.poll();
      const [record] = await before.authority.getMany([REF]);
      if (record === undefined) throw new Error("it was written");
      server.copies.bytes?.offer(record);
      const seen = await numberIn(before.database, NEXT);
      const shown = server.follower.applied;
      if (shown === undefined) throw new Error("it has polled");
      await postgres.kill();
      await before.authority.close();
      await postgres.start();
      const after = await openRig(pgDatabase(url));
      server.rig = after;
      const next = writtenVersion(await writeOne(after.authority, put(REF.key, REF)));
      // Else this shows nothing: the write has a number that was below the end of the snapshot.
      expect(await numberIn(after.database, LAST_WRITER)).toBeLessThan(seen);

      // Another server that starts now has seen it, and what it tells a session the first has not.
      const other = new Server(after);
      await other.follower.poll();
      const demanded = horizonOf(other.follower.applied?.snapshot ?? "");
      expect(covers(horizonOf(shown.snapshot), demanded)).toBe(false);
      // Nor does it take a copy that the first one proved before the crash.
      expect(other.recent.admits(REF, old, shown.settled)).toBe(false);

      expect(server.copy()).toBe(old);
      await server.follower.poll();
      expect(server.copy()).toBeUndefined();
      expect(server.recent.newest(REF)).toBe(next);
      expect(covers(horizonOf(server.follower.applied?.snapshot ?? ""), demanded)).toBe(true);
      await after.authority.close();
    } finally {
      await postgres.remove();
    }
  });
});
