import fc from "fast-check";
import { expect, test } from "vitest";
import type { SessionMemory } from "../src/manager/memory.ts";
import { MemoryTier } from "../src/model/item.ts";
import { SimulatedLog } from "./support/simulated-log.ts";
import { openServer, pass } from "./support/two-servers.ts";
import type { SimulatedServer } from "./support/two-servers.ts";

const SESSIONS = 3;
const KEYS = 4;
/** More than one token holds. */
const MANY = 70;
const keyOf = (at: number): string => `k${at}`;

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...([
        "read",
        "read",
        "read",
        "read",
        "read",
        "read",
        "item",
        "exists",
        "several",
        "many",
        "put",
        "delete",
      ] as const),
      ...(["batch", "others put", "others delete", "others read", "others read"] as const),
      ...(["poll", "poll", "begin", "commit", "lose the log", "find the log", "wait"] as const),
    ),
    server: fc.nat(1),
    session: fc.nat(SESSIONS - 1),
    key: fc.nat(KEYS - 1),
    consistency: fc.constantFrom("session", "session", "any", "latest" as const),
  }),
  { minLength: 30, maxLength: 120 },
);

/** What a session has seen of each item: how many commits to it, at least. */
class Seen {
  readonly #log: SimulatedLog;
  readonly #counts = new Map<string, number>();

  constructor(log: SimulatedLog) {
    this.#log = log;
  }

  /** Judges a read, and remembers what it has shown. */
  read(key: string, version: number | undefined, isBound: boolean): void {
    const history = this.#log.history({ namespace: "", key });
    const least = this.#counts.get(key) ?? 0;
    // An absence comes from the authority, whatever the read: nothing is newer.
    const shown =
      version === undefined
        ? history.length
        : history.findIndex((state) => state.version === version) + 1;
    if (version === undefined) expect(history.at(-1)?.record).toBeUndefined();
    if (isBound && shown < least)
      throw new Error(`${key}: shown after ${shown} commits, but ${least} were seen`);
    this.#counts.set(key, Math.max(least, shown));
  }

  /** A delete of nothing commits nothing, but has seen that there was nothing. */
  wrote(key: string): void {
    this.#counts.set(key, this.#log.history({ namespace: "", key }).length);
  }
}

class Run {
  readonly #log = new SimulatedLog();
  readonly #servers: SimulatedServer[] = [];
  readonly #tokens: (string | undefined)[] = [];
  readonly #seen = Array.from({ length: SESSIONS }, () => new Seen(this.#log));
  /** Transactions of other clients that are open, each with the item it will write. */
  readonly #open: { readonly xid: number; readonly key: string }[] = [];
  /** Reads that a copy answered, and reads without a session that were behind. */
  readonly counts = { copies: 0, behind: 0, folds: 0 };

  async start(): Promise<void> {
    this.#servers.push(await openServer(this.#log), await openServer(this.#log));
  }

  async end(): Promise<void> {
    for (const { memory } of this.#servers) await memory.close();
  }

  async step(step: Step): Promise<void> {
    const server = this.#servers[step.server];
    if (server === undefined) throw new Error("no server");
    const key = keyOf(step.key);
    switch (step.kind) {
      case "others put":
        await server.memory.set(key, step.key);
        return;
      case "others delete":
        await server.memory.delete(key);
        return;
      case "others read": {
        const item = await server.memory.getItem(key);
        const latest = this.#log.latest({ namespace: "", key });
        if (item !== undefined && Number(item.version) !== latest?.version) this.counts.behind += 1;
        return;
      }
      case "poll":
        return pass(server, 260);
      case "wait":
        return pass(server, 700);
      case "begin":
        if (this.#open.length < 20) this.#open.push({ xid: this.#log.begin(), key });
        return;
      case "commit": {
        const [open] = this.#open.splice(step.session, 1);
        if (open === undefined) return;
        const ref = { namespace: "", key: open.key };
        this.#log.commit(open.xid, [{ kind: "remove", ...ref }]);
        return;
      }
      case "lose the log":
        server.authority.isLogAway = true;
        return;
      case "find the log":
        server.authority.isLogAway = false;
        return;
      default:
        await this.#inSession(server, step.kind, step);
    }
  }

  async #inSession(server: SimulatedServer, kind: SessionKind, step: Step): Promise<void> {
    const seen = this.#seen[step.session];
    const view = server.memory.session(this.#tokens[step.session]);
    if (seen !== undefined) await this.#operate(view, seen, { ...step, kind });
    const { token } = view;
    expect(token.length).toBeLessThanOrEqual(1024);
    this.#tokens[step.session] = token;
  }

  async #operate(
    view: SessionMemory,
    seen: Seen,
    { kind, key: at, consistency }: Step & { readonly kind: SessionKind },
  ): Promise<void> {
    const key = keyOf(at);
    const isBound = consistency !== "any";
    switch (kind) {
      case "read": {
        const item = await view.getRaw(key, { consistency });
        if (item !== undefined && item.tier !== MemoryTier.L3_POSTGRESQL) this.counts.copies += 1;
        return seen.read(key, item && Number(item.version), isBound);
      }
      case "item": {
        const item = await view.getItem(key, { consistency });
        return seen.read(key, item && Number(item.version), isBound);
      }
      case "exists": {
        const exists = await view.exists(key, { consistency });
        if (!exists) seen.read(key, undefined, isBound);
        return;
      }
      case "several": {
        const keys = Array.from({ length: KEYS }, (_, index) => keyOf(index));
        const results = await view.batchOperations(
          keys.map((name) => ({ type: "get", key: name })),
          { consistency },
        );
        for (const { key: name, version } of results)
          seen.read(name, version === undefined ? undefined : Number(version), isBound);
        return;
      }
      case "many": {
        const keys = Array.from({ length: MANY }, (_, index) => `other${index}`);
        await view.getMany(keys);
        this.counts.folds += 1;
        return;
      }
      case "put":
        await view.set(key, at);
        return seen.wrote(key);
      case "delete":
        await view.delete(key);
        return seen.wrote(key);
      case "batch":
        await view.batchOperations([
          { type: "get", key },
          { type: "set", key, value: at },
          { type: "delete", key: keyOf((at + 1) % KEYS) },
        ]);
        seen.wrote(key);
        return seen.wrote(keyOf((at + 1) % KEYS));
    }
  }
}

type Step = (typeof steps extends fc.Arbitrary<infer T> ? T : never) extends readonly (infer S)[]
  ? S
  : never;
type SessionKind = "read" | "item" | "exists" | "several" | "many" | "put" | "delete" | "batch";

test("a session sees what it wrote and never goes back, on any server, with any lag and 404s", async () => {
  const totals = { copies: 0, behind: 0, folds: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const run = new Run();
      await run.start();
      try {
        for (const step of list) await run.step(step);
      } finally {
        await run.end();
        totals.copies += run.counts.copies;
        totals.behind += run.counts.behind;
        totals.folds += run.counts.folds;
      }
    }),
    { numRuns: 300 },
  );
  // Otherwise nothing was proven: copies must have answered, and some must have been old.
  expect(totals.copies).toBeGreaterThan(200);
  expect(totals.behind).toBeGreaterThan(20);
  expect(totals.folds).toBeGreaterThan(20);
}, 120_000);
