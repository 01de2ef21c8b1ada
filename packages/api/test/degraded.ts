import { systemClock } from "@cherry-ai/memory";
import type { EnvironmentVariables } from "@cherry-ai/memory";
import { pino } from "pino";
import { expect, onTestFinished } from "vitest";
import { loadApiConfig } from "../src/config/load-api-config.ts";
import { CherryServer } from "../src/server/server.ts";
import { caller, freshNamespace, itemPath, nsPath } from "./server.ts";
import type { Answer, TestServer } from "./server.ts";

const BOUND_MS = 1000;
/** The contract's second, and another for a machine that is busy with other tests. */
const ANSWER_MS_MAX = 2_000;
export const SETTLE: { readonly timeout: number } = { timeout: 45_000 };
const DRAIN = { noticeMs: 0, requestsMs: 200, closeMs: 5_000 };

export type Call = TestServer["call"];

/** A server as it is run: memory, tiers and metrics are those that its settings make. */
export async function serve(env: EnvironmentVariables): Promise<Call> {
  const server = await CherryServer.listen({
    config: loadApiConfig({ PORT: "0", ...env }),
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  onTestFinished(async () => {
    await server.drain(DRAIN);
  });
  await server.start();
  return bounded(caller(server.url));
}

/** Nothing hangs: each request is answered soon, whatever is away. */
function bounded(call: Call): Call {
  return async (...request) => {
    const startedMs = systemClock.monotonicMs();
    const answer = await call(...request);
    const tookMs = systemClock.monotonicMs() - startedMs;
    expect({ request, inTime: tookMs < ANSWER_MS_MAX, tookMs }).toMatchObject({ inTime: true });
    return answer;
  };
}

interface TierState {
  readonly tier: string;
  readonly status: string;
  readonly reason?: string;
  readonly warning?: string;
}

function tierIn(answer: Answer, tier: string): TierState | undefined {
  const tiers = answer.json?.["tiers"];
  return Array.isArray(tiers) ? tiers.find((one: TierState) => one.tier === tier) : undefined;
}

export async function stateOf(call: Call, tier: string): Promise<TierState | undefined> {
  return tierIn(await call("GET", "/readyz"), tier);
}

/** Readiness, health and metrics all name a tier that is in trouble. */
export async function expectNamed(call: Call, tier: string, reason: RegExp): Promise<void> {
  await expect.poll(async () => (await stateOf(call, tier))?.reason, SETTLE).toMatch(reason);
  const ready = await call("GET", "/readyz");
  const health = await call("GET", "/health");
  expect([ready.status, health.status]).toEqual([200, 503]);
  for (const answer of [ready, health]) {
    expect(answer.json).toMatchObject({ status: "degraded" });
    expect(tierIn(answer, tier)?.status).toBe("degraded");
  }
  const { text } = await call("GET", "/metrics");
  expect(text.split("\n")).toContain(`cherry_tier_up{tier="${tier}"} 0`);
}

/** Errors of a tier that the metrics count, of all its operations together. */
export async function errorsOf(call: Call, tier: string, code: string): Promise<number> {
  const { text } = await call("GET", "/metrics");
  const line = new RegExp(
    `^cherry_tier_errors_total\\{tier="${tier}",[^}]*code="${code}"\\} (\\d+)`,
    "gm",
  );
  return [...text.matchAll(line)].reduce((sum, [, count]) => sum + Number(count), 0);
}

export async function expectSound(call: Call): Promise<void> {
  await expect.poll(async () => (await call("GET", "/health")).status, SETTLE).toBe(200);
  expect((await call("GET", "/readyz")).json).toMatchObject({ status: "ready" });
}

export function receiptTiers(answer: Answer): { readonly [tier: string]: string } {
  return (answer.json?.["tiers"] ?? {}) as { readonly [tier: string]: string };
}

const session = (answer: Answer): { readonly [name: string]: string } => ({
  "x-cherry-session": answer.headers.get("x-cherry-session") ?? "",
});

/** As long as the bound and a little: what is read then may not be older than before. */
function pastBound(): Promise<void> {
  return systemClock.sleep(BOUND_MS + 50);
}

/**
 * What holds whatever becomes of a cache: one server writes, changes and deletes, the other shows it
 * at once to `latest`, to the session and to search, and within the bound to everybody.
 */
export async function expectPromisesKept(writer: Call, reader: Call): Promise<void> {
  const ns = freshNamespace();
  const path = itemPath(ns, "k");
  for (const value of [1, 2]) {
    const put = await writer("PUT", path, { value });
    expect([put.status, receiptTiers(put)["l3"]]).toEqual([200, "stored"]);
    const latest = await reader("GET", `${path}?consistency=latest`);
    expect([latest.status, latest.json?.["value"]]).toEqual([200, value]);
    const mine = await reader("GET", path, undefined, session(put));
    expect(mine.json?.["value"]).toBe(value);
  }
  await pastBound();
  const any = await reader("GET", `${path}?consistency=any`);
  expect([any.json?.["value"], any.headers.has("x-cherry-degraded")]).toEqual([2, false]);
  const operations = [
    { type: "get", key: "k" },
    { type: "set", key: "n", value: 1 },
  ];
  const batch = await reader("POST", nsPath(ns, "batch"), { operations });
  expect(batch.json).toMatchObject({ results: [{ value: 2 }, { success: true }] });
  const gone = await writer("DELETE", path);
  expect(gone.json).toMatchObject({ existed: true });
  expect((await reader("GET", path, undefined, session(gone))).status).toBe(404);
  const found = await reader("POST", nsPath(ns, "search"), { pattern: "*" });
  expect(found.json).toMatchObject({ items: [{ key: "n" }] });
  await pastBound();
  for (const call of [writer, reader])
    expect((await call("GET", `${path}?consistency=any`)).status).toBe(404);
}
