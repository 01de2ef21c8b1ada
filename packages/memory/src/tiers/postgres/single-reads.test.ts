import { describe, expect, test } from "vitest";
import { MemoryError } from "../../model/errors.ts";
import type { ItemRecord } from "../../model/item.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { BoundSchema } from "./bound-schema.ts";
import { callOf } from "./database.ts";
import type { Call, Database, Row } from "./database.ts";
import { SHARED_READS_MAX, SingleReads } from "./single-reads.ts";

const NAMESPACE = "n";

/** What is left of each item's life, so that its deadline tells when its statement was sent. */
const REMAINING_MS = 1000;

function rowOf(key: string, place: number): Row {
  return {
    place,
    version: 1,
    body: Buffer.from(key),
    metadata: {},
    tags: [],
    created_ms: 0,
    updated_ms: 0,
    expires_ms: 0,
    remaining_ms: REMAINING_MS,
  };
}

function keysOf({ values = [] }: Call): string[] {
  const keys = values[1];
  return typeof keys === "string" ? [keys] : (keys as readonly string[]).map(String);
}

/** A database without a free connection until `connect`; every key but those named `no…` is there. */
class BusyDatabase {
  /** Keys of the statements sent. */
  readonly sent: string[][] = [];
  readonly #waiting: ((failure?: MemoryError) => void)[] = [];
  answer: (keys: readonly string[]) => readonly Row[] = (keys) =>
    keys.flatMap((key, index) => (key.startsWith("no") ? [] : [rowOf(key, index + 1)]));

  readonly query: Database["query"] = async (statement, values) => {
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push((failure) => (failure === undefined ? resolve() : reject(failure)));
    });
    const keys = keysOf(callOf(statement, values));
    this.sent.push(keys);
    return this.answer(keys);
  };

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Gives one connection, or none to a call that then fails. */
  async connect(failure?: MemoryError): Promise<void> {
    await settle();
    this.#waiting.shift()?.(failure);
    await settle();
  }

  /** Until nothing waits any more. */
  async connectAll(): Promise<void> {
    await settle();
    while (this.waiting > 0) await this.connect();
  }
}

/** Lets everything go on that waits for nothing but its turn. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

interface Bench {
  readonly database: BusyDatabase;
  readonly clock: ManualClock;
  read(key: string, namespace?: string): Promise<ItemRecord | undefined>;
  /** The value, or the code of the error. */
  told(key: string): Promise<string | undefined>;
}

function bench(): Bench {
  const database = new BusyDatabase();
  const clock = new ManualClock();
  const reads = new SingleReads({
    database: database as unknown as Database,
    schema: new BoundSchema("cherry"),
    clock,
    limits: DEFAULT_LIMITS,
  });
  const read: Bench["read"] = (key, namespace = NAMESPACE) => reads.read({ namespace, key });
  const told: Bench["told"] = (key) =>
    read(key).then(
      (record) => record && Buffer.from(record.body).toString(),
      (error: unknown) => (error instanceof MemoryError ? error.code : String(error)),
    );
  return { database, clock, read, told };
}

describe("SingleReads", () => {
  test("a read that is alone is one statement for one item", async () => {
    const { database, told } = bench();
    const answer = told("a");
    await database.connectAll();
    expect([await answer, database.sent]).toEqual(["a", [["a"]]]);
  });

  test("reads begun together go as one statement, and each gets its own answer", async () => {
    const { database, told } = bench();
    const answers = ["b", "none", "a", "b"].map(told);
    await database.connectAll();
    expect(await Promise.all(answers)).toEqual(["b", undefined, "a", "b"]);
    expect(database.sent).toEqual([["b", "none", "a", "b"]]);
  });

  test("the same key of two namespaces is two items", async () => {
    const { database, read } = bench();
    const answers = [read("k", "x"), read("k", "y")];
    await database.connectAll();
    const records = await Promise.all(answers);
    expect(records.map((record) => record?.namespace)).toEqual(["x", "y"]);
  });

  test("a read joins those that wait for a connection, and never a statement that was sent", async () => {
    const { database, told } = bench();
    const first = told("a");
    await settle();
    const second = told("b");
    await settle();
    expect(database.waiting).toBe(1);
    await database.connect();
    const third = told("c");
    await database.connectAll();
    expect(await Promise.all([first, second, third])).toEqual(["a", "b", "c"]);
    expect(database.sent).toEqual([["a", "b"], ["c"]]);
  });

  test("lifetimes count from when the statement was sent, not from when the read began", async () => {
    const { database, clock, read } = bench();
    const startMs = clock.monotonicMs();
    const answers = [read("a"), read("b")];
    await settle();
    await clock.advance(300);
    await database.connect();
    for (const record of await Promise.all(answers)) {
      // Early by the grain of the database's clock.
      expect(record?.deadlineMs).toBe(startMs + 300 + REMAINING_MS - 1);
    }
  });

  test("one statement takes so many and no more", async () => {
    const { database, told } = bench();
    const keys = Array.from({ length: 2 * SHARED_READS_MAX + 1 }, (_, index) => `k${index}`);
    const answers = keys.map(told);
    await database.connectAll();
    expect(await Promise.all(answers)).toEqual(keys);
    expect(database.sent.map((sent) => sent.length)).toEqual([
      SHARED_READS_MAX,
      SHARED_READS_MAX,
      1,
    ]);
  });

  test("a damaged row fails its own read only", async () => {
    const { database, told } = bench();
    const sound = database.answer;
    database.answer = (keys) =>
      sound(keys).map((row, index) => (keys[index] === "bad" ? { ...row, body: null } : row));
    const answers = ["a", "bad", "b", "none"].map(told);
    await database.connectAll();
    expect(await Promise.all(answers)).toEqual(["a", "CORRUPT_VALUE", "b", undefined]);
    expect(database.sent).toHaveLength(1);
  });

  test.each(["CORRUPT_VALUE", "INTERNAL"] as const)(
    "a row of which the server refuses the statement with %s fails its own read only",
    async (code) => {
      const { database, told } = bench();
      const sound = database.answer;
      database.answer = (keys) => {
        if (keys.includes("bad")) throw new MemoryError(code, "refused");
        return sound(keys);
      };
      const answers = ["a", "bad", "b"].map(told);
      await database.connectAll();
      expect(await Promise.all(answers)).toEqual(["a", code, "b"]);
      expect(database.sent).toEqual([["a", "bad", "b"], ["a"], ["bad"], ["b"]]);
    },
  );

  test("a database that is away fails all of them at once, and is not asked again", async () => {
    const { database, told } = bench();
    database.answer = () => {
      throw new MemoryError("STORE_UNAVAILABLE", "away");
    };
    const answers = ["a", "b"].map(told);
    await database.connectAll();
    expect(await Promise.all(answers)).toEqual(["STORE_UNAVAILABLE", "STORE_UNAVAILABLE"]);
    expect(database.sent).toHaveLength(1);
  });

  test("a call that never got a connection fails those who waited, and nobody who comes later", async () => {
    const { database, told } = bench();
    const early = ["a", "b"].map(told);
    await database.connect(new MemoryError("STORE_UNAVAILABLE", "all busy"));
    const late = told("c");
    await database.connectAll();
    expect(await Promise.all([...early, late])).toEqual([
      "STORE_UNAVAILABLE",
      "STORE_UNAVAILABLE",
      "c",
    ]);
    expect(database.sent).toEqual([["c"]]);
  });
});
