import fc from "fast-check";
import type pg from "pg";
import { expect, test } from "vitest";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import type { Change, FollowState } from "../../src/tiers/authority.ts";
import type { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import { put, putStatement, serverRig, untilBlocked, writeOne } from "./support.ts";
import type { ServerRig } from "./support.ts";

/** Reads of the log before a test gives up waiting for its end. */
const READS_MAX = 1_000;

/** Both readers of the log, and what each was told of one namespace, in the order it was told. */
class Readers {
  readonly consumed: Change[] = [];
  readonly followed: Change[] = [];
  readonly #authority: PostgresAuthority;
  readonly #namespace: string;
  #position = 0;
  #state: FollowState | undefined;

  constructor(authority: PostgresAuthority, namespace: string) {
    this.#authority = authority;
    this.#namespace = namespace;
  }

  async start(): Promise<this> {
    this.#position = await this.#authority.changePosition();
    await this.follow();
    return this;
  }

  async follow(): Promise<void> {
    const { changes, state, gap } = await this.#authority.follow(this.#state);
    expect(gap).toBe(false);
    this.#state = state;
    this.followed.push(...changes.filter((change) => change.namespace === this.#namespace));
  }

  /** One change a page, so that every place between two changes is a page's end. */
  async consume(): Promise<void> {
    const request = { namespace: this.#namespace, below: false, limit: 1 };
    for (;;) {
      const page = await this.#authority.readChanges({ ...request, after: this.#position });
      this.#position = page.position;
      this.consumed.push(...page.changes);
      if (page.changes.length === 0) return;
    }
  }

  /** Everything that was committed: of each key every change once, its versions rising. */
  async expectOrdered(committed: number): Promise<void> {
    await this.follow();
    for (let reads = 0; reads < READS_MAX && this.consumed.length < committed; reads += 1)
      await this.consume();
    for (const [reader, changes] of Object.entries({
      consumer: this.consumed,
      follower: this.followed,
    })) {
      expect(changes.length, reader).toBe(committed);
      const newest = new Map<string, Change>();
      for (const change of changes) {
        const { key, version } = change;
        expect(version, `${reader}: ${key}`).toBeGreaterThan(newest.get(key)?.version ?? 0);
        newest.set(key, change);
      }
      const puts = [...newest.values()].filter(({ op }) => op === "put");
      const records = await this.#authority.getMany(puts);
      expect(records.map((record) => record?.version)).toEqual(puts.map(({ version }) => version));
    }
  }
}

async function begin(rig: ServerRig): Promise<pg.Client> {
  const client = await rig.connect();
  await client.query("BEGIN");
  return client;
}

describeWithPostgres("changes of one key come in the order of their commits", () => {
  const late = serverRig();
  const ordered = (
    name: string,
    run: (rig: ServerRig, readers: Readers, namespace: string) => Promise<number>,
  ): void => {
    test(name, async () => {
      const { rig } = late;
      const readers = await new Readers(rig.authority, name).start();
      await readers.expectOrdered(await run(rig, readers, name));
    });
  };

  ordered("when the later of two has the older transaction", async (rig, _, namespace) => {
    await writeOne(rig.authority, put("k", { namespace }));
    const older = await begin(rig);
    // Its number, and an id of the log, are drawn before the other begins.
    await older.query(putStatement("elsewhere", namespace));
    await writeOne(rig.authority, put("k", { namespace }));
    await older.query(putStatement("k", namespace));
    await older.query("COMMIT");
    return 4;
  });

  ordered("when it is so, and polls fall between them", async (rig, readers, namespace) => {
    const older = await begin(rig);
    await older.query(putStatement("elsewhere", namespace));
    await readers.follow();
    await writeOne(rig.authority, put("k", { namespace }));
    await readers.follow();
    await readers.consume();
    await older.query(putStatement("k", namespace));
    await writeOne(rig.authority, put("last", { namespace }));
    await readers.follow();
    await older.query("COMMIT");
    await readers.consume();
    await readers.follow();
    return 4;
  });

  ordered("when both make the key", async (rig, readers, namespace) => {
    const first = await begin(rig);
    await first.query(putStatement("k", namespace));
    // Its version is drawn before it waits, in a statement that began before the first had ended.
    const second = writeOne(rig.authority, put("k", { namespace }));
    await untilBlocked(rig);
    await readers.follow();
    await first.query("COMMIT");
    await second;
    return 2;
  });

  ordered("when the maker of the key takes it back", async (rig, readers, namespace) => {
    const first = await begin(rig);
    await first.query(putStatement("k", namespace));
    const waiting = [1, 2, 3].map(() => writeOne(rig.authority, put("k", { namespace })));
    await untilBlocked(rig, waiting.length);
    await readers.follow();
    await first.query("ROLLBACK");
    await Promise.all(waiting);
    return waiting.length;
  });

  ordered("when puts and removals queue for one row", async (rig, readers, namespace) => {
    await writeOne(rig.authority, put("k", { namespace }));
    const holder = await begin(rig);
    await holder.query(putStatement("a", namespace));
    await holder.query(putStatement("k", namespace));
    const remove = { kind: "remove" as const, namespace, key: "k" };
    const waiting = [put("k", { namespace }), remove, put("k", { namespace }), remove];
    const results = waiting.map((operation) => writeOne(rig.authority, operation));
    await untilBlocked(rig, waiting.length);
    await readers.follow();
    await holder.query("COMMIT");
    // Of two removals in a row the second finds nothing, which is no change.
    const written = (await Promise.all(results)).filter(({ status }) => status === "written");
    // A last one, so that there is an item to compare with.
    await writeOne(rig.authority, put("k", { namespace }));
    return 4 + written.length;
  });

  ordered("when a clear comes between", async (rig, readers, namespace) => {
    const before = await begin(rig);
    await before.query(putStatement("k", namespace));
    const clear = rig.authority.clear(namespace, false);
    await untilBlocked(rig);
    const after = writeOne(rig.authority, put("k", { namespace }));
    await untilBlocked(rig, 2);
    await before.query("COMMIT");
    const { version } = await clear;
    await after;
    await readers.expectOrdered(3);
    expect(readers.consumed.map(({ op }) => op)).toEqual(["put", "clear", "put"]);
    expect(readers.consumed[1]?.version).toBe(version);
    return 3;
  });

  test("whatever transactions of several writes overlap how", async () => {
    const { rig } = late;
    const clients = await Promise.all([0, 1, 2, 3].map(() => rig.connect()));
    let runs = 0;
    // A transaction writes keys in their order, as all of ours do: none waits in a circle.
    const keys = fc.subarray(["a", "b", "c"], { minLength: 1 });
    const transaction = fc.record({ keys, commits: fc.boolean() });
    const script = fc.array(fc.tuple(fc.nat({ max: 3 }), transaction), {
      minLength: 2,
      maxLength: 8,
    });
    // The consumer waits a moment for writers to end, so it comes seldom.
    const turn = fc.oneof(
      { weight: 8, arbitrary: fc.nat({ max: 3 }) },
      { weight: 2, arbitrary: fc.constant("follow" as const) },
      { weight: 1, arbitrary: fc.constant("consume" as const) },
    );
    const schedule = fc.infiniteStream(turn);
    await fc.assert(
      fc.asyncProperty(script, schedule, async (transactions, turns) => {
        const namespace = `any-${(runs += 1)}`;
        const readers = await new Readers(rig.authority, namespace).start();
        const queues: string[][] = clients.map(() => []);
        let committed = 0;
        for (const [client, { keys: written, commits }] of transactions) {
          const end = commits ? "COMMIT" : "ROLLBACK";
          if (commits) committed += written.length;
          const writes = written.map((key) => putStatement(key, namespace));
          queues[client]?.push("BEGIN", ...writes, end);
        }
        // A client's statements go one after another, and no other's turn waits for its locks.
        const tails: Promise<unknown>[] = clients.map(async () => {});
        for (const who of turns) {
          if (queues.every((queue) => queue.length === 0)) break;
          if (who === "follow") await readers.follow();
          else if (who === "consume") await readers.consume();
          else {
            const statement = queues[who]?.shift();
            if (statement === undefined) continue;
            tails[who] = (tails[who] ?? Promise.resolve()).then(() =>
              clients[who]?.query(statement),
            );
          }
        }
        await Promise.all(tails);
        await readers.expectOrdered(committed);
      }),
      { numRuns: 25 },
    );
  });
});
