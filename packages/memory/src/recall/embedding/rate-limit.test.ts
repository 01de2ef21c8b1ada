import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeEmbeddingSource } from "../../testing/fake-embedding-source.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { RateLimitedSource } from "./rate-limit.ts";
import type { RateLimits } from "./rate-limit.ts";

const MINUTE_MS = 60_000;
const NEVER = new AbortController().signal;

interface Sent {
  readonly atMs: number;
  readonly tokens: number;
}

function limited(rate: RateLimits): {
  readonly clock: ManualClock;
  readonly sent: Sent[];
  readonly ask: (tokens: number, signal?: AbortSignal) => Promise<unknown>;
} {
  const clock = new ManualClock();
  const sent: Sent[] = [];
  const source = new FakeEmbeddingSource({
    answer: ([text = ""]) => {
      sent.push({ atMs: clock.monotonicMs(), tokens: text.length / 4 });
      return undefined;
    },
  });
  const limitedSource = new RateLimitedSource(source, rate, clock);
  const ask = (tokens: number, signal = NEVER): Promise<unknown> =>
    limitedSource.embedBatch(["x".repeat(tokens * 4)], { kind: "passage", signal });
  return { clock, sent, ask };
}

test("no sixty seconds see more than the limits, nothing is lost, and the order is kept", async () => {
  const arrivals = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 40_000 }),
      tokens: fc.integer({ min: 1, max: 12 }),
    }),
    { maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(
      arrivals,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 5, max: 20 }),
      async (calls, requestsPerMinute, tokensPerMinute) => {
        const { clock, sent, ask } = limited({ requestsPerMinute, tokensPerMinute });
        const answers: Promise<unknown>[] = [];
        for (const { afterMs, tokens } of calls) {
          await clock.advance(afterMs);
          answers.push(ask(tokens));
        }
        // More than enough: each call alone in its minute.
        await clock.advance(MINUTE_MS * (calls.length + 1));
        await Promise.all(answers);
        expect(sent.map(({ tokens }) => tokens)).toEqual(calls.map(({ tokens }) => tokens));
        for (const { atMs } of sent) {
          const within = sent.filter(
            (other) => other.atMs >= atMs && other.atMs < atMs + MINUTE_MS,
          );
          const tokens = within.reduce((sum, each) => sum + each.tokens, 0);
          expect(within.length).toBeLessThanOrEqual(requestsPerMinute);
          if (within.length > 1) expect(tokens).toBeLessThanOrEqual(tokensPerMinute);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("nobody waits while there is room", async () => {
  const { clock, sent, ask } = limited({ requestsPerMinute: 3 });
  await Promise.all([ask(1), ask(1), ask(1)]);
  expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0]);
  const fourth = ask(1);
  await clock.advance(MINUTE_MS - 1);
  expect(sent).toHaveLength(3);
  await clock.advance(1);
  await fourth;
  expect(sent).toHaveLength(4);
});

test("what the endpoint counted replaces the estimate", async () => {
  const clock = new ManualClock();
  const source = new FakeEmbeddingSource({ answer: () => ({ vectors: [], tokens: 100 }) });
  const rated = new RateLimitedSource(source, { tokensPerMinute: 100 }, clock);
  await rated.embedBatch(["abcd"], { kind: "passage", signal: NEVER });
  void rated.embedBatch(["abcd"], { kind: "passage", signal: NEVER });
  await clock.advance(MINUTE_MS - 1);
  expect(source.calls).toHaveLength(1);
  await clock.advance(1);
  expect(source.calls).toHaveLength(2);
});

test("who gives up waiting does not hold up those behind", async () => {
  const { clock, sent, ask } = limited({ requestsPerMinute: 1 });
  await ask(1);
  const stop = new AbortController();
  const gone = ask(2, stop.signal);
  const next = ask(3);
  stop.abort(new Error("enough"));
  await expect(gone).rejects.toThrow("enough");
  await clock.advance(MINUTE_MS);
  await next;
  expect(sent.map(({ tokens }) => tokens)).toEqual([1, 3]);
  expect(clock.sleeping).toBe(0);
});
