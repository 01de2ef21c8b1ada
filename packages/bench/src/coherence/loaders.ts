/** A key that many servers miss at once is loaded once. */
import { judge, valueAtMost } from "../result.ts";
import type { Result } from "../result.ts";
import type { Case, Context } from "../suite.ts";
import { Crew } from "./crew.ts";
import type { LoaderAnswer, LoaderOrder } from "./loader-process.ts";
import { serversFor } from "./needs.ts";

const MODULE = new URL("./loader-process.ts", import.meta.url);
const PROCESSES = 8;
const CALLERS = 50;
const MISSES = 10;

async function measure(context: Context, redis: boolean): Promise<Result> {
  const servers = await serversFor(context, redis ? "loaders_redis" : "loaders", { redis });
  const assignments = Array.from({ length: PROCESSES }, () => servers);
  const crew = await Crew.start<LoaderOrder, LoaderAnswer>(MODULE, assignments);
  let calls = 0;
  try {
    for (let miss = 0; miss < MISSES; miss += 1) {
      const order = { key: `answer:${miss}`, callers: CALLERS };
      const answers = await crew.ask(assignments.map(() => order));
      calls += answers.reduce((sum, answer) => sum + answer.calls, 0);
      const values = new Set(answers.flatMap((answer) => answer.values));
      if (values.size !== 1) throw new Error(`callers got ${values.size} values of one key`);
    }
  } finally {
    await crew.close();
  }
  const perMiss = calls / MISSES;
  const callers = PROCESSES * CALLERS;
  return judge({
    name: `loader calls per miss, ${redis ? "with" : "without"} Redis`,
    value: perMiss,
    unit: "calls",
    peer: `callers (${PROCESSES} processes × ${CALLERS})`,
    peerValue: callers,
    ratio: perMiss / callers,
    goal: valueAtMost(1),
    note: `${MISSES} keys, each missed by all callers at once; all got the same value`,
  });
}

export const loaderCase: Case = {
  name: "loader",
  about: "one loader call for 8 processes × 50 callers of a missing key, with and without Redis",
  run: async (context) => [await measure(context, true), await measure(context, false)],
};
