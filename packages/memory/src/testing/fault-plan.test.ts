import { expect, test } from "vitest";
import { callOf } from "../tiers/postgres/database.ts";
import type { Database } from "../tiers/postgres/database.ts";
import { expectCode } from "./expect-code.ts";
import { FaultPlan } from "./fault-plan.ts";
import { faultyDatabase } from "./faulty-database.ts";
import { intercept } from "./intercept.ts";

/** Notes what reaches it; a transaction's statements count only when its work returns. */
function fakeDatabase(done: string[]): Database {
  const body = Uint8Array.of(1, 2, 3);
  return {
    query: async (statement) => [{ text: callOf(statement).statement.text, body }],
    write: async ({ text }) => {
      done.push(text);
      return [];
    },
    transaction: async (work) => {
      const statements: string[] = [];
      const answer = await work({
        query: async ({ text }) => {
          statements.push(text);
          return [{ body }];
        },
      });
      done.push(...statements);
      return answer;
    },
    script: async () => {},
    exclusive: true,
    description: "fake",
    open: async () => {},
    close: async () => {},
  };
}

test("before: nothing was done, and surely so", async () => {
  const done: string[] = [];
  const plan = new FaultPlan();
  const database = faultyDatabase(fakeDatabase(done), plan);
  plan.failNth(1, "before");
  await database.write({ text: "one" });
  await expectCode("STORE_UNAVAILABLE", () => database.write({ text: "two" }));
  await database.write({ text: "three" });
  expect(done).toEqual(["one", "three"]);
  expect([plan.calls(), plan.calls("write"), plan.injected]).toEqual([3, 3, 1]);
});

test("after: it was done, but nobody knows; a read never says so", async () => {
  const done: string[] = [];
  const plan = new FaultPlan();
  const database = faultyDatabase(fakeDatabase(done), plan);
  plan.failWhen(() => true, "after");
  await expectCode("OUTCOME_UNKNOWN", () => database.write({ text: "one" }));
  await expectCode("STORE_UNAVAILABLE", () => database.query({ text: "two" }));
  expect(done).toEqual(["one"]);
});

test("a transaction fails at each of its round trips, and only commit is unknown", async () => {
  const outcomes: [string, string[]][] = [];
  for (const fault of ["before", "after"] as const) {
    for (let at = 0; at < 4; at += 1) {
      const done: string[] = [];
      const plan = new FaultPlan();
      plan.failNth(at, fault);
      const work = faultyDatabase(fakeDatabase(done), plan).transaction(async (tx) => {
        await tx.query({ text: "a" });
        await tx.query({ text: "b" });
      });
      const code = at === 3 ? "OUTCOME_UNKNOWN" : "STORE_UNAVAILABLE";
      await expectCode(code, () => work, `${fault} ${at}`);
      outcomes.push([`${fault} ${at}`, done]);
    }
  }
  expect(outcomes.filter(([, done]) => done.length > 0)).toEqual([["after 3", ["a", "b"]]]);
});

test("garbage damages the bytes and keeps the rest", async () => {
  const plan = new FaultPlan(() => "garbage");
  const database = faultyDatabase(fakeDatabase([]), plan);
  const [row] = await database.query({ text: "select" });
  expect(row?.["text"]).toBe("select");
  expect(row?.["body"]).toEqual(Uint8Array.of(1, 2, 3 ^ 0x40));
});

test("interception keeps private state and passes over unnamed methods", () => {
  class Counter {
    #count = 0;
    add(by: number): number {
      this.#count += by;
      return this.#count;
    }
    addTwice(by: number): number {
      this.add(by);
      return this.add(by);
    }
  }
  const seen: string[] = [];
  const counter = intercept(new Counter(), new Set(["add"]), (method, proceed) => {
    seen.push(method);
    return proceed();
  });
  expect(counter.add(1)).toBe(1);
  expect(counter.addTwice(2)).toBe(5);
  expect(seen).toEqual(["add"]);
});
