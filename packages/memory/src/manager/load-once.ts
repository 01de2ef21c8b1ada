import { MemoryError } from "../model/errors.ts";
import type { ItemRef, JsonValue } from "../model/item.ts";
import { checkKey } from "../model/key.ts";
import { backoffMs } from "../resilience/backoff.ts";
import { refId } from "../tiers/tier.ts";
import { checkEphemeral } from "./ephemeral-path.ts";
import { checkSet } from "./inputs.ts";
import { ItemLoad } from "./item-load.ts";
import type { LoadOptions } from "./memory.ts";
import type { Parts } from "./runtime.ts";

const DEFAULT_LEASE_SECONDS = 10;
const DEFAULT_LOADER_TIMEOUT_MS = 300_000;
/** Between two looks at another server's lease. Mostly a change that is heard of comes before. */
const WAIT = { firstMs: 100, maxMs: 1_000 };
/** So that many who wait do not ask all the time, whatever chance says. */
const WAIT_MS_MIN = 20;

export interface LoadRequest {
  readonly namespace: string;
  readonly key: string;
  readonly loader: () => unknown;
  readonly options: LoadOptions;
}

/**
 * The item, or what `loader` gives: one call of it for all callers on all servers. The callers of this
 * process share one flight, and the flights of all servers share one lease of the authority.
 */
export async function loadOnce(parts: Parts, request: LoadRequest): Promise<JsonValue> {
  const { core, read } = parts;
  const { namespace, options } = request;
  const { limits } = core.config;
  const ref = { namespace, key: checkKey(request.key, limits) };
  // A loader is expensive: what cannot be stored as these options say is refused before it runs.
  checkSet(ref.key, null, options, limits);
  if (options.durability === "ephemeral") {
    checkEphemeral(options);
    parts.ephemeral.requireHome();
  }
  for (;;) {
    const served = await read.readObject(ref);
    if (served !== undefined) {
      core.accesses.record(ref);
      return served.record.value;
    }
    const { answer, joined } = core.flights.run(refId(ref), () => fly(parts, ref, request));
    const value = await answer;
    // Who began the flight takes what it brought. Who joined it may have come after a change that
    // outran it, so he looks as any reader does, and may find a copy of what was stored.
    if (!joined) return value;
  }
}

/** Gets the lease and loads, or waits until another server has loaded. */
async function fly(parts: Parts, ref: ItemRef, request: LoadRequest): Promise<JsonValue> {
  const { authority, clock, copies } = parts.core;
  const { leaseSeconds = DEFAULT_LEASE_SECONDS, loaderTimeoutMs = DEFAULT_LOADER_TIMEOUT_MS } =
    request.options;
  // Where one process owns the data this flight is the only one: there is nobody to keep out.
  const ttlSeconds = authority.exclusive ? undefined : leaseSeconds;
  const giveUpAtMs = clock.monotonicMs() + loaderTimeoutMs;
  for (let attempt = 1; clock.monotonicMs() <= giveUpAtMs; attempt += 1) {
    // Before the question, so that no change falls between the answer and the wait.
    const watch = copies.watches.watch(ref);
    try {
      const answer = await authority.takeLease(ref, ttlSeconds);
      if (answer.status === "granted") {
        watch.end();
        const { claim } = answer;
        return await new ItemLoad(parts, { ref, claim, leaseSeconds, loaderTimeoutMs }).run(
          request,
        );
      }
      if (answer.status === "found") {
        const served = await parts.read.readObject(ref);
        if (served !== undefined) return served.record.value;
      } else await waitForTurn(parts, watch.changed, { attempt, heldForMs: answer.heldForMs });
    } finally {
      watch.end();
    }
  }
  throw new MemoryError(
    "DEADLINE_EXCEEDED",
    `another server loads item ${JSON.stringify(ref.key)} and has not brought it within ${loaderTimeoutMs} ms; try again or raise loaderTimeoutMs`,
  );
}

/** Until a change is heard of, the lease must have ended, or it is time to look again. */
async function waitForTurn(
  { core }: Parts,
  changed: Promise<void>,
  wait: { readonly attempt: number; readonly heldForMs: number },
): Promise<void> {
  const byChanceMs = backoffMs(wait.attempt, WAIT, core.random);
  const delayMs = Math.max(WAIT_MS_MIN, Math.min(byChanceMs, wait.heldForMs));
  const stop = new AbortController();
  const slept = core.clock.sleep(delayMs, stop.signal).catch(() => {
    // Stopped: a change was heard of.
  });
  await Promise.race([changed, slept]);
  stop.abort();
}
