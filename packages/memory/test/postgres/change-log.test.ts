import { afterAll, expect, test } from "vitest";
import { startPostgres } from "@cherry-ai/services";
import type { PostgresServer } from "@cherry-ai/services";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import type { Change, FollowState } from "../../src/tiers/authority.ts";
import type { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import type { Statement } from "../../src/tiers/postgres/database.ts";
import { intercept } from "../../src/testing/intercept.ts";
import {
  describeBoth,
  openRig,
  put,
  putStatement,
  selectionOf,
  serverRig,
  writeOne,
} from "./support.ts";

/**
 * A server of these tests alone: a snapshot names whoever writes in any database of the server, and
 * a follower of a trimmed log must take one that has ended since for one whose changes are gone.
 */
const server: { own?: PostgresServer } = {};
let databases = 0;
afterAll(() => server.own?.remove());

async function ownDatabase(): Promise<string> {
  server.own ??= await startPostgres({ settings: { fsync: "off" } });
  return server.own.databaseUrl(`own${(databases += 1)}`);
}

class Consumer {
  readonly keys: string[] = [];
  position: number;
  readonly #authority: PostgresAuthority;
  readonly #namespace: string;

  constructor(authority: PostgresAuthority, namespace: string, position = 0) {
    this.#authority = authority;
    this.#namespace = namespace;
    this.position = position;
  }

  async read(limit = 2): Promise<void> {
    for (;;) {
      const page = await this.#authority.readChanges({
        namespace: this.#namespace,
        below: true,
        after: this.position,
        limit,
      });
      expect(page.position).toBeGreaterThanOrEqual(this.position);
      this.keys.push(...page.changes.map((change) => change.key));
      const isEnd = page.changes.length < limit;
      this.position = page.position;
      if (isEnd) return;
    }
  }
}

/** What is settled may come a few calls later. */
async function readAll(consumer: Consumer, count: number): Promise<readonly string[]> {
  for (let tries = 0; tries < 1000 && consumer.keys.length < count; tries += 1)
    await consumer.read();
  return consumer.keys;
}

class CacheFollower {
  readonly seen: Change[] = [];
  gaps = 0;
  #state: FollowState | undefined;
  readonly #authority: PostgresAuthority;

  constructor(authority: PostgresAuthority) {
    this.#authority = authority;
  }

  async poll(): Promise<readonly string[]> {
    const { changes, state, gap } = await this.#authority.follow(this.#state);
    this.#state = state;
    this.seen.push(...changes);
    if (gap) this.gaps += 1;
    return changes.map((change) => change.key);
  }
}

describeWithPostgres("a transaction that commits late", () => {
  const late = serverRig();

  test("is skipped by no reader, and delays no follower", async () => {
    const { rig } = late;
    const { authority } = rig;
    const namespace = "late";
    await writeOne(authority, put("before", { namespace }));
    const consumer = new Consumer(authority, namespace);
    await readAll(consumer, 1);
    const follower = new CacheFollower(authority);
    await follower.poll();
    const slow = await rig.connect();
    await slow.query("BEGIN");
    await slow.query(putStatement("slow", namespace));
    for (let n = 0; n < 5; n += 1) {
      await writeOne(authority, put(`fast${n}`, { namespace }));
      await consumer.read();
      expect(await follower.poll()).toEqual([`fast${n}`]);
    }
    expect(consumer.keys).toEqual(["before"]);
    await slow.query("COMMIT");
    expect(await follower.poll()).toEqual(["slow"]);
    expect(await follower.poll()).toEqual([]);
    await readAll(consumer, 7);
    // Each exactly once, in the order of ids: the slow one drew its id first.
    expect(consumer.keys).toEqual(["before", "slow", "fast0", "fast1", "fast2", "fast3", "fast4"]);
    expect(follower.gaps).toBe(0);
  });

  test("that took its number long before it wrote is not skipped either", async () => {
    const { rig } = late;
    const { authority } = rig;
    const namespace = "early-number";
    const consumer = new Consumer(authority, namespace, await authority.changePosition());
    const follower = new CacheFollower(authority);
    const slow = await rig.connect();
    await slow.query("BEGIN");
    await slow.query("SELECT pg_current_xact_id()");
    await follower.poll();
    await writeOne(authority, put("a", { namespace }));
    await slow.query(putStatement("slow", namespace));
    await writeOne(authority, put("b", { namespace }));
    await consumer.read();
    expect(await follower.poll()).toEqual(["a", "b"]);
    await slow.query("COMMIT");
    expect(await follower.poll()).toEqual(["slow"]);
    expect(await readAll(consumer, 3)).toEqual(["a", "slow", "b"]);
  });

  test("that is no writer of ours holds back nobody", async () => {
    const { rig } = late;
    const { authority } = rig;
    const namespace = "foreign";
    const consumer = new Consumer(authority, namespace, await authority.changePosition());
    const follower = new CacheFollower(authority);
    await follower.poll();
    const foreign = await rig.connect();
    await foreign.query("BEGIN");
    await foreign.query("SELECT pg_current_xact_id()");
    for (let n = 0; n < 4; n += 1) {
      await writeOne(authority, put(`k${n}`, { namespace }));
      expect(await follower.poll()).toEqual([`k${n}`]);
    }
    await consumer.read();
    expect(consumer.keys).toEqual(["k0", "k1", "k2", "k3"]);
    await foreign.query("ROLLBACK");
  });

  test("readers miss nothing under random interleavings", async () => {
    const { rig } = late;
    const { authority } = rig;
    const namespace = "random";
    const consumer = new Consumer(authority, namespace, await authority.changePosition());
    const follower = new CacheFollower(authority);
    await follower.poll();
    const clients = await Promise.all(Array.from({ length: 5 }, () => rig.connect()));
    const expected = new Set<string>();
    for (let round = 0; round < 30; round += 1) {
      // Each client is in one of three states; who moves is fixed by arithmetic, not by chance.
      for (const [id, client] of clients.entries()) {
        const step = (round * 7 + id * 3) % 4;
        if (step === 0) await client.query("BEGIN");
        if (step === 1 || step === 2) {
          const key = `r${round}-${id}`;
          await client.query(putStatement(key, namespace));
          expected.add(key);
        }
        if (step === 3) await client.query("COMMIT");
        if ((round + id) % 3 === 0) await follower.poll();
        if ((round + id) % 4 === 0) await consumer.read();
      }
      await writeOne(authority, put(`own${round}`, { namespace }));
      expected.add(`own${round}`);
    }
    for (const client of clients) await client.query("COMMIT");
    await follower.poll();
    await readAll(consumer, expected.size);
    const keys = follower.seen.filter((one) => one.namespace === namespace).map((one) => one.key);
    for (const key of expected) {
      expect(keys, "follower").toContain(key);
      expect(consumer.keys, "consumer").toContain(key);
    }
    expect(new Set(consumer.keys).size, "each once").toBe(consumer.keys.length);
  });
});

function nameOf(statement: unknown): string {
  return (statement as Statement).name ?? "";
}

describeBoth(
  "the change log's end",
  (late) => {
    test("trimming marks lagging consumers and followers, and expires positions", async () => {
      const { authority } = late.rig;
      const follower = new CacheFollower(authority);
      const lagging = new CacheFollower(authority);
      await follower.poll();
      await lagging.poll();
      const start = await authority.changePosition();
      for (let n = 0; n < 30; n += 1)
        await writeOne(authority, put(`k${n}`, { namespace: "trim" }));
      const middle = new Consumer(authority, "trim", start);
      await readAll(middle, 30);
      await authority.saveConsumer("slow", Math.max(1, start));
      await authority.saveConsumer("quick", middle.position);
      await follower.poll();
      expect((await authority.sweep(1000)).trimmedChanges).toBe(20);
      expect(await authority.loadConsumer("slow")).toBeUndefined();
      expect(await authority.loadConsumer("quick")).toBe(middle.position);
      await follower.poll();
      expect(follower.gaps).toBe(0);
      await lagging.poll();
      expect(lagging.gaps).toBe(1);
      await lagging.poll();
      expect(lagging.gaps).toBe(1);
      const expired = authority.readChanges({ ...selectionOf("trim"), after: 1, limit: 5 });
      await expect(expired).rejects.toMatchObject({ code: "CURSOR_EXPIRED" });
      const rest = await authority.readChanges({ ...selectionOf("trim"), after: 0, limit: 50 });
      expect(rest.changes.map((change) => change.key)).toEqual(
        Array.from({ length: 10 }, (_, n) => `k${n + 20}`),
      );
      await authority.saveConsumer("slow", middle.position);
      expect(await authority.loadConsumer("slow")).toBe(middle.position);
    });

    test("a trim between a reader's two looks at the log is told, not skipped", async () => {
      const { authority, database } = late.rig;
      await authority.write([put("first", { namespace: "between" })]);
      const after = await authority.changePosition();
      const keys = Array.from({ length: 30 }, (_, n) => `k${n}`);
      await authority.write(keys.map((key) => put(key, { namespace: "between" })));
      const trimming = intercept(database, new Set(["query"]), async (_, proceed, [statement]) => {
        if (nameOf(statement).includes("read_changes")) await authority.sweep(1000);
        return proceed();
      });
      const reader = await openRig(trimming, { outboxMaxRows: 10 });
      const page = reader.authority.readChanges({ ...selectionOf("between"), after, limit: 50 });
      await expect(page).rejects.toMatchObject({ code: "CURSOR_EXPIRED" });
    });

    test("a follower that is too far behind is told so", async () => {
      const { authority } = late.rig;
      const follower = new CacheFollower(authority);
      await follower.poll();
      for (let batch = 0; batch < 11; batch += 1)
        await authority.write(
          Array.from({ length: 1000 }, (_, n) => put(`b${batch}-${n}`, { namespace: "flood" })),
        );
      await follower.poll();
      expect(follower.gaps).toBe(1);
      await writeOne(authority, put("after", { namespace: "flood" }));
      expect(await follower.poll()).toEqual(["after"]);
    });

    test("a clear is told to readers of what it emptied, and to no others", async () => {
      const { authority } = late.rig;
      const after = await authority.changePosition();
      const { version } = await authority.clear("c/d", true);
      await authority.clear("c/e", false);
      const read = async (namespace: string, below: boolean): Promise<unknown[]> => {
        const page = await authority.readChanges({ namespace, below, after, limit: 9 });
        return page.changes.map((one) => [one.op, one.namespace, one.below ?? false, one.version]);
      };
      const cleared = ["clear", "c/d", true, version];
      expect(await read("c/d", false)).toEqual([cleared]);
      expect(await read("c/d/x", false)).toEqual([cleared]);
      expect(await read("c/dd", false)).toEqual([]);
      expect(await read("c", false)).toEqual([]);
      expect((await read("c", true)).length).toBe(2);
      expect(await read("c/e/x", false)).toEqual([]);
    });
  },
  { outboxMaxRows: 10 },
  ownDatabase,
);

describeWithPostgres("a transaction that stays open while the log is trimmed past it", () => {
  const late = serverRig({ outboxMaxRows: 10 }, ownDatabase);

  test("costs followers their copies once, when it has ended, not at every poll", async () => {
    const { authority, connect } = late.rig;
    const open = await connect();
    await open.query("BEGIN");
    await open.query(putStatement("open", "n"));
    const follower = new CacheFollower(authority);
    await follower.poll();
    for (let n = 0; n < 30; n += 1) await writeOne(authority, put(`k${n}`));
    await follower.poll();
    expect((await authority.sweep(1000)).trimmedChanges).toBeGreaterThan(0);
    // Nothing of it can be gone: what is not committed cannot be trimmed.
    for (let polls = 0; polls < 3; polls += 1) await follower.poll();
    expect(follower.gaps).toBe(0);
    await open.query("COMMIT");
    // It may have been trimmed between its commit and this.
    await follower.poll();
    expect(follower.gaps).toBe(1);
    await follower.poll();
    expect(follower.gaps).toBe(1);
  });
});
