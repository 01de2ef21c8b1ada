import { expect } from "vitest";
import type { Memory } from "../../src/manager/memory.ts";
import { isMemoryError } from "../../src/model/errors.ts";
import type { Scenario } from "./io-scenarios.ts";

export interface Answer {
  /** "ok", or the code of the error. */
  readonly outcome: string;
  readonly answer?: unknown;
}

export async function answerOf(work: () => Promise<unknown>): Promise<Answer> {
  try {
    return { outcome: "ok", answer: await work() };
  } catch (error) {
    if (!isMemoryError(error)) throw error;
    return { outcome: error.code };
  }
}

/** The truth or this error, nothing else. */
export function checkAnswer(
  given: Answer,
  allowed: { readonly expected: unknown; readonly or: string },
): void {
  const { expected, or } = allowed;
  expect(given).toEqual(
    given.outcome === "ok" ? { outcome: "ok", answer: expected } : { outcome: or },
  );
}

export async function readAll(memory: Memory, scenario: Scenario): Promise<unknown[]> {
  return memory.getMany(Object.keys(scenario.changes), { consistency: "latest" });
}

/** What the store may hold after this outcome. */
export function checkState(scenario: Scenario, outcome: string, state: readonly unknown[]): void {
  const before = Object.values(scenario.changes).map(([value]) => value);
  const after = Object.values(scenario.changes).map(([, value]) => value);
  if (outcome === "ok") expect(state).toEqual(after);
  else if (outcome === "STORE_UNAVAILABLE") expect(state).toEqual(before);
  else {
    expect(outcome).toBe("OUTCOME_UNKNOWN");
    if (scenario.atomic) expect([before, after]).toContainEqual(state);
    else
      for (const [at, value] of state.entries())
        expect([before[at], after[at]]).toContainEqual(value);
  }
}

/** Copies and authority agree on every key, however it is asked. */
export async function checkCopies(memory: Memory, scenario: Scenario): Promise<void> {
  const keys = Object.keys(scenario.changes);
  const peeked = keys.map((key) => memory.peek(key));
  const any = await memory.getMany(keys);
  const latest = await memory.getMany(keys, { consistency: "latest" });
  expect(any).toEqual(latest);
  for (const [at, value] of peeked.entries())
    if (value !== undefined) expect(value).toEqual(latest[at]);
}
