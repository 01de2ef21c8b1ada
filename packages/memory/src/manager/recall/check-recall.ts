import { MemoryError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { checkTime } from "../../recall/world-time.ts";
import { checkPageLimit } from "../inputs.ts";
import { checkOptions, refuse } from "../options.ts";
import { checkName } from "./check-remember.ts";
import type { RecallOptions } from "./memories.ts";
import { checkQuery } from "./search-words.ts";

const LIMIT_DEFAULT = 10;
const NEIGHBOURS = { default: 1, max: 10 };
const TOKEN_BUDGET = { default: 2_000, max: 1_000_000 };
const MODES: readonly unknown[] = ["keyword", "semantic", "hybrid"];

/** What is asked for, checked in full. Times are milliseconds. */
export interface CheckedRecall {
  readonly query: string;
  readonly sessionId: string | undefined;
  readonly limit: number;
  readonly asOfMs: number | undefined;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly neighbours: number;
  readonly tokenBudget: number;
  readonly mode: "keyword" | "semantic" | "hybrid";
  readonly explain: boolean;
}

const RECALL_OPTIONS: { readonly [name: string]: () => void } = Object.fromEntries(
  [
    "query",
    "sessionId",
    "limit",
    "asOf",
    "from",
    "to",
    "neighbours",
    "tokenBudget",
    "mode",
    "explain",
  ].map((name) => [name, (): void => {}]),
);

export function checkRecall(options: RecallOptions, limits: Limits): CheckedRecall {
  const given = checkOptions(options, RECALL_OPTIONS);
  const { query, sessionId, asOf, from, to, mode = "keyword", explain = false } = given;
  if (typeof query !== "string" || query.trim() === "") refuse("query", "a question", query);
  if (!MODES.includes(mode)) refuse("mode", "one of keyword, semantic, hybrid", mode);
  if (mode !== "keyword")
    throw new MemoryError(
      "CAPABILITY_UNAVAILABLE",
      `mode: this server does not recall by meaning yet, which ${mode} needs; recall by "keyword"`,
      { field: "mode" },
    );
  if (typeof explain !== "boolean") refuse("explain", "true or false", explain);
  return {
    query: checkQuery(query),
    sessionId: sessionId === undefined ? undefined : checkName(sessionId, "sessionId"),
    limit: given.limit === undefined ? LIMIT_DEFAULT : checkPageLimit(given.limit, limits),
    asOfMs: asOf === undefined ? undefined : checkTime(asOf, "asOf"),
    fromMs: from === undefined ? undefined : checkTime(from, "from"),
    toMs: to === undefined ? undefined : checkTime(to, "to"),
    neighbours: checkCount(given.neighbours, "neighbours", NEIGHBOURS),
    tokenBudget: checkCount(given.tokenBudget, "tokenBudget", TOKEN_BUDGET),
    mode,
    explain,
  };
}

function checkCount(
  count: unknown,
  field: string,
  bounds: { readonly default: number; readonly max: number },
): number {
  if (count === undefined) return bounds.default;
  if (typeof count === "number" && Number.isInteger(count) && count >= 0 && count <= bounds.max)
    return count;
  return refuse(field, `a whole number from 0 to ${bounds.max}`, count);
}
