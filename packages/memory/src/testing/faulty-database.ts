import type { Database, Queryable, Row, TransactionOptions } from "../tiers/postgres/database.ts";
import { MemoryError } from "../model/errors.ts";
import { damage, faultError } from "./fault-plan.ts";
import type { Fault, FaultPlan } from "./fault-plan.ts";
import { intercept } from "./intercept.ts";

/**
 * A database whose round trips fail as the plan says. A transaction counts as several: `begin`, each
 * statement, and `commit`. A statement that fails inside a transaction, at whatever moment, undoes
 * it: surely not written. A commit whose answer is lost is an unknown outcome, written or not.
 */
export function faultyDatabase(inner: Database, plan: FaultPlan): Database {
  const single = async (
    method: string,
    writes: boolean,
    proceed: () => unknown,
  ): Promise<unknown> => {
    const fault = plan.next(method, writes);
    if (fault === "before") throw faultError(fault, method, writes);
    const answer = await proceed();
    if (fault === "after") throw faultError(fault, method, writes);
    return fault === "garbage" ? damage(answer) : answer;
  };

  const transaction = async <T>(
    work: (tx: Queryable) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> => {
    const opening = plan.next("begin", false);
    if (opening !== undefined) throw faultError("before", "begin", false);
    let closing: Fault | undefined;
    const writes = options?.readOnly !== true;
    const commitLost = faultError("after", "commit", writes);
    const answer = await inner.transaction(async (tx) => {
      const done = await work(faultyQueryable(tx, plan));
      closing = plan.next("commit", writes);
      // Thrown inside, so that the real transaction is undone; the caller cannot know that it was.
      if (closing === "before") throw commitLost;
      return done;
    }, options);
    if (closing !== undefined) throw commitLost;
    return answer;
  };

  return intercept(inner, CALLS, (method, proceed, values) => {
    if (method !== "transaction") return single(method, method !== "query", proceed);
    const [work, options] = values;
    return transaction(asWork(work), asOptions(options));
  });
}

const CALLS: ReadonlySet<string> = new Set(["query", "write", "script", "transaction"]);

function faultyQueryable(tx: Queryable, plan: FaultPlan): Queryable {
  return {
    query: async (statement, values) => {
      const fault = plan.next("statement", true);
      if (fault === "before") throw faultError(fault, "statement", false);
      const rows = await tx.query(statement, values);
      if (fault === "after") throw faultError("before", "statement", false);
      return fault === "garbage" ? rows.map(damageRow) : rows;
    },
  };
}

function damageRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, damage(value)]));
}

function asWork(work: unknown): (tx: Queryable) => Promise<unknown> {
  if (typeof work !== "function") throw new MemoryError("INTERNAL", "transaction needs a function");
  return async (tx) => (await Reflect.apply(work, undefined, [tx])) as unknown;
}

function asOptions(options: unknown): TransactionOptions | undefined {
  return typeof options === "object" && options !== null ? options : undefined;
}
