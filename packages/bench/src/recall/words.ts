/**
 * How long a search by words takes on PostgreSQL, and how fast words are indexed: LoCoMo's turns again
 * and again, in one namespace and in many small ones, asked LoCoMo's questions.
 *
 *   node --conditions=@cherry-ai/source packages/bench/src/recall/words.ts --file FILE [--url postgres://…] [--load] [--queries N]
 *
 * With --url the database stays: load it once with --load, then measure alone.
 */
import { parseArgs } from "node:util";
import { UnifiedMemoryManager } from "@cherry-ai/memory";
import type { Memory } from "@cherry-ai/memory";
import { startPostgres } from "@cherry-ai/services";
import { percentile } from "../harness/statistics.ts";
import { loadConversations } from "../locomo/load.ts";
import type { Conversation } from "../locomo/load.ts";

const LARGE_ITEMS = 100_000;
const SMALL_NAMESPACES = 1_000;
const SMALL_ITEMS = 100;
const BATCH = 1_000;
const LIMIT = 10;
const WARM_QUERIES = 50;

interface Layout {
  readonly name: string;
  readonly goalMs: number;
  readonly namespaceOf: (query: number) => string;
  readonly items: readonly (readonly [namespace: string, count: number])[];
}

const LAYOUTS: readonly Layout[] = [
  {
    name: "1,000 namespaces of 100",
    goalMs: 30,
    namespaceOf: (query) => `small/${(query * 389) % SMALL_NAMESPACES}`,
    items: Array.from({ length: SMALL_NAMESPACES }, (_, n) => [`small/${n}`, SMALL_ITEMS] as const),
  },
  {
    name: "100,000 in one namespace",
    goalMs: 60,
    namespaceOf: () => "large",
    items: [["large", LARGE_ITEMS]],
  },
];

async function load(memory: UnifiedMemoryManager, texts: readonly string[]): Promise<void> {
  let next = 0;
  for (const { name, items } of LAYOUTS) {
    const startedMs = performance.now();
    let written = 0;
    for (const [namespace, count] of items)
      for (let from = 0; from < count; from += BATCH) {
        const size = Math.min(BATCH, count - from);
        await memory.namespace(namespace).batchOperations(
          Array.from({ length: size }, (_, at) => ({
            type: "set" as const,
            key: `turn-${from + at}`,
            value: texts[next++ % texts.length],
          })),
        );
        written += size;
      }
    const writtenMs = performance.now() - startedMs;
    await memory.optimize();
    const indexedMs = performance.now() - startedMs - writtenMs;
    const rate = (ms: number): string => ((written / ms) * 1000).toFixed(0);
    process.stdout.write(`${name}: written ${rate(writtenMs)}/s, indexed ${rate(indexedMs)}/s\n`);
  }
}

async function timed(memory: Memory, query: string): Promise<number> {
  const startedMs = performance.now();
  await memory.search({ query, mode: "keyword", limit: LIMIT });
  return performance.now() - startedMs;
}

async function measure(
  memory: UnifiedMemoryManager,
  questions: readonly string[],
  queries: number,
): Promise<void> {
  for (const { name, goalMs, namespaceOf } of LAYOUTS) {
    const ask = (query: number): Promise<number> =>
      timed(memory.namespace(namespaceOf(query)), questions[(query * 7) % questions.length] ?? "");
    for (let query = 0; query < WARM_QUERIES; query += 1) await ask(query);
    const times = new Float64Array(queries);
    for (let query = 0; query < queries; query += 1) times[query] = await ask(query + WARM_QUERIES);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((part) => percentile(times, part).toFixed(1));
    process.stdout.write(
      `${name}: p50 ${p50} ms, p95 ${p95} ms (goal ${goalMs}), p99 ${p99} ms, ${queries} queries\n`,
    );
  }
}

const { values } = parseArgs({
  options: {
    file: { type: "string" },
    url: { type: "string" },
    load: { type: "boolean", default: false },
    queries: { type: "string", default: "500" },
  },
});
if (values.file === undefined) throw new Error("--file: a LoCoMo file is needed");
const conversations: readonly Conversation[] = loadConversations(values.file);
const texts = conversations.flatMap(({ turns }) => turns.map(({ text }) => text));
const questions = conversations.flatMap((one) => one.questions.map(({ text }) => text));
const server = values.url === undefined ? await startPostgres() : undefined;
const url = values.url ?? (await server?.databaseUrl("words")) ?? "";
const memory = new UnifiedMemoryManager({
  tiers: { L3: { url } },
  optimization: { enabled: false },
});
await memory.initialize();
if (values.load || server !== undefined) await load(memory, texts);
if (!values.load) await measure(memory, questions, Number(values.queries));
await memory.close();
await server?.remove();
