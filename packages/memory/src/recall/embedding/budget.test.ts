import { expect, test } from "vitest";
import { MemoryError } from "../../model/errors.ts";
import { FakeEmbeddingSource } from "../../testing/fake-embedding-source.ts";
import type { FakeSourceOptions } from "../../testing/fake-embedding-source.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { BudgetedSource } from "./budget.ts";
import type { Budget } from "./budget.ts";

const DAY_MS = 86_400_000;
const NOON_MS = Date.parse("2026-03-05T12:00:00Z");
const REQUEST = { kind: "passage", signal: new AbortController().signal } as const;

function budgeted(
  budget: Budget,
  answer?: FakeSourceOptions["answer"],
): { readonly clock: ManualClock; readonly spend: (tokens: number) => Promise<unknown> } {
  const clock = new ManualClock({ wallMs: NOON_MS });
  const source = new FakeEmbeddingSource(answer === undefined ? {} : { answer });
  const budgetedSource = new BudgetedSource(source, budget, clock);
  return { clock, spend: (tokens) => budgetedSource.embedBatch(["x".repeat(tokens * 4)], REQUEST) };
}

const SPENT = expect.objectContaining({ code: "EMBEDDING_BUDGET_SPENT", retryable: true });

test("beyond the day's tokens nothing is sent until midnight UTC", async () => {
  const { clock, spend } = budgeted({ tokensPerDay: 10 });
  await spend(6);
  await spend(4);
  await expect(spend(1)).rejects.toEqual(SPENT);
  await expect(spend(1)).rejects.toThrow("2026-03-06T00:00:00.000Z");
  await clock.advance(DAY_MS / 2 - 1);
  await expect(spend(1)).rejects.toEqual(SPENT);
  await clock.advance(1);
  await spend(10);
});

test("money is tokens at their price", async () => {
  const { spend } = budgeted({ usdPerDay: 0.00002, usdPerMillionTokens: 2 });
  await spend(10);
  await expect(spend(1)).rejects.toEqual(SPENT);
});

test("calls at once cannot overdraw it together", async () => {
  const gate = Promise.withResolvers<undefined>();
  const { spend } = budgeted({ tokensPerDay: 10 }, () => gate.promise);
  const first = spend(6);
  await expect(spend(6)).rejects.toEqual(SPENT);
  gate.resolve(undefined);
  await first;
});

test("a call that ends after midnight gives nothing back to the day after", async () => {
  const gate = Promise.withResolvers<undefined>();
  let isLate = true;
  const { clock, spend } = budgeted({ tokensPerDay: 10 }, async () => {
    if (!isLate) return undefined;
    await gate.promise;
    return { vectors: [], tokens: 1 };
  });
  const late = spend(6);
  await clock.advance(DAY_MS);
  isLate = false;
  await spend(6);
  gate.resolve(undefined);
  await late;
  await expect(spend(5)).rejects.toEqual(SPENT);
});

test("what the endpoint counted replaces the estimate", async () => {
  const { spend } = budgeted({ tokensPerDay: 10 }, () => ({ vectors: [], tokens: 3 }));
  await spend(8);
  await spend(7);
  await expect(spend(5)).rejects.toEqual(SPENT);
});

test.each([
  ["EMBEDDING_UNAVAILABLE", true],
  ["EMBEDDING_REFUSED", true],
  ["EMBEDDING_INVALID", false],
] as const)("after %s the tokens are %s given back", async (code, isGivenBack) => {
  let isBroken = true;
  const { spend } = budgeted({ tokensPerDay: 10 }, () => {
    if (isBroken) throw new MemoryError(code, "broken");
    return undefined;
  });
  await expect(spend(10)).rejects.toMatchObject({ code });
  isBroken = false;
  if (isGivenBack) await spend(10);
  else await expect(spend(10)).rejects.toEqual(SPENT);
});

test("a clock that is set back by a day does not give the budget twice", async () => {
  const { clock, spend } = budgeted({ tokensPerDay: 10 });
  await spend(10);
  clock.skewWall(-DAY_MS);
  await expect(spend(1)).rejects.toEqual(SPENT);
});

test("a call that is larger than the budget is let through once a day", async () => {
  const { clock, spend } = budgeted({ tokensPerDay: 10 });
  await spend(20);
  await expect(spend(20)).rejects.toEqual(SPENT);
  await clock.advance(DAY_MS);
  await spend(20);
});
