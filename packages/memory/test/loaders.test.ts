import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import type { Memory, MemoryManager } from "../src/manager/memory.ts";
import { systemClock } from "../src/model/clock.ts";
import type { Clock } from "../src/model/clock.ts";
import { ManualClock, expectCode } from "../src/testing/index.ts";
import { intercept } from "../src/testing/intercept.ts";
import type { AuthorityTier } from "../src/tiers/authority.ts";
import type { Database } from "../src/tiers/postgres/database.ts";
import { embeddedDatabase, openAuthority, serverDatabase } from "./support/databases.ts";
import { QUIET, openManager } from "./support/managers.ts";

const LATEST = { consistency: "latest" } as const;
const CALLERS = 20;
const SELDOM_MS = 60_000;

/** A loader that answers when the test says so. */
class Source {
  calls = 0;
  readonly #waiting: ((value: string) => void)[] = [];
  #onCall = (): void => {};

  readonly load = (): Promise<string> => {
    this.calls += 1;
    const answer = new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
    });
    this.#onCall();
    return answer;
  };

  /** Resolves when the loader has been called so often. */
  async called(times: number): Promise<void> {
    while (this.calls < times)
      await new Promise<void>((resolve) => {
        this.#onCall = resolve;
      });
  }

  answer(value: string): void {
    for (const resolve of this.#waiting.splice(0)) resolve(value);
  }
}

/** Several servers over one authority. Each test has a namespace and a source of its own. */
function loaderSuite(open: () => Promise<Database>): void {
  let authority: AuthorityTier;
  const managers: MemoryManager[] = [];
  const calls: string[] = [];
  const answers: string[] = [];
  let used = 0;
  let source: Source;

  beforeAll(async () => {
    authority = await openAuthority(await open());
  });
  afterAll(() => authority?.close());
  beforeEach(() => {
    used += 1;
    calls.length = 0;
    answers.length = 0;
    source = new Source();
  });
  afterEach(async () => {
    for (const manager of managers.splice(0)) await manager.close();
  });

  async function server(clock: Clock = systemClock): Promise<Memory> {
    // Under a clock that leaps the log need not be read at each step.
    const config = clock === systemClock ? QUIET : { ...QUIET, maxStalenessMs: SELDOM_MS };
    const watched = intercept(
      authority,
      new Set(["takeLease", "renewLease", "releaseLease"]),
      async (method, proceed) => {
        calls.push(method);
        const answer = await proceed();
        answers.push(method);
        return answer;
      },
    );
    // Also where the data belongs to one process: here there are several servers in it.
    const common = new Proxy(watched, {
      get: (target, name): unknown =>
        name === "exclusive" ? false : Reflect.get(target, name, target),
    });
    const manager = await openManager(common, "usual", config, { clock });
    managers.push(manager);
    return manager.namespace(`load-${used}`);
  }

  /** Waits until so many have asked for the lease. */
  async function asked(times: number): Promise<void> {
    while (calls.filter((call) => call === "takeLease").length < times)
      await new Promise((resolve) => setImmediate(resolve));
  }

  test("all callers of all servers share one call", async () => {
    const servers = await Promise.all([server(), server(), server()]);
    const values = servers.flatMap((memory) =>
      Array.from({ length: CALLERS }, () => memory.getOrSet("k", source.load)),
    );
    await asked(servers.length);
    await source.called(1);
    source.answer("loaded");
    expect(new Set(await Promise.all(values))).toEqual(new Set(["loaded"]));
    expect(source.calls).toBe(1);
    for (const memory of servers) expect(await memory.get("k", LATEST)).toBe("loaded");
  });

  test("a loader that fails is called once for all who wait here; then it is another's turn", async () => {
    const [one, two] = [await server(), await server()];
    let failures = 0;
    let fail = (): void => {};
    const failing = (): Promise<string> => {
      failures += 1;
      return new Promise((_, reject) => {
        fail = () => reject(new Error("no source"));
      });
    };
    const here = Array.from({ length: CALLERS }, () => one.getOrSet("k", failing).catch(String));
    await asked(1);
    while (failures === 0) await new Promise((resolve) => setImmediate(resolve));
    const there = two.getOrSet("k", () => "from two");
    await asked(2);
    fail();
    expect(new Set(await Promise.all(here))).toEqual(new Set(["Error: no source"]));
    expect(failures).toBe(1);
    expect(await there).toBe("from two");
  });

  test("what was set while a loader ran wins", async () => {
    const [one, two] = [await server(), await server()];
    const loading = one.getOrSet("k", source.load);
    await source.called(1);
    const waiting = two.getOrSet("k", source.load);
    await asked(2);
    await two.set("k", "set meanwhile");
    expect(await waiting).toBe("set meanwhile");
    source.answer("loaded");
    expect(await loading).toBe("set meanwhile");
    expect(await one.get("k", LATEST)).toBe("set meanwhile");
    expect(source.calls).toBe(1);
  });

  test.each(["deleted", "cleared"])(
    "what was set and %s while a loader ran does not come back as the loaded value",
    async (how) => {
      const [one, two] = [await server(), await server()];
      const loading = one.getOrSet("k", source.load);
      await source.called(1);
      await two.set("k", "set meanwhile");
      if (how === "deleted") await two.delete("k");
      else await two.clear();
      source.answer("old");
      expect(await loading).toBe("old");
      for (const memory of [one, two]) expect(await memory.get("k", LATEST)).toBe(undefined);
      // The key is free at once, not when the lease would have run out.
      expect(await two.getOrSet("k", () => "new")).toBe("new");
      expect(await one.get("k", LATEST)).toBe("new");
    },
  );

  test("a caller who comes after a delete does not get what was loaded before", async () => {
    const [one, two] = [await server(), await server()];
    const before = one.getOrSet("k", source.load);
    await source.called(1);
    await one.set("k", "x");
    await one.delete("k");
    // On this server it joins the flight, on the other it is given the lease.
    const joined = one.getOrSet("k", source.load);
    const other = two.getOrSet("k", () => "new");
    expect(await other).toBe("new");
    source.answer("old");
    expect([await before, await joined]).toEqual(["new", "new"]);
    expect(source.calls).toBe(1);
  });

  test("a delete that finds nothing makes old what a loader brings, here and on another server", async () => {
    const [one, other] = [await server(), await server()];
    for (const [index, remover] of [one, other].entries()) {
      const loading = one.getOrSet("k", source.load);
      await source.called(index + 1);
      expect((await remover.delete("k")).existed).toBe(false);
      source.answer("old");
      expect(await loading).toBe("old");
      expect(await one.get("k", LATEST)).toBe(undefined);
    }
  });

  test("a caller who joined a flight that was outrun loads anew", async () => {
    const one = await server();
    const before = one.getOrSet("k", source.load);
    await source.called(1);
    await one.set("k", "x");
    await one.delete("k");
    const joined = one.getOrSet("k", source.load);
    await new Promise((resolve) => setImmediate(resolve));
    source.answer("old");
    expect(await before).toBe("old");
    await source.called(2);
    source.answer("new");
    expect(await joined).toBe("new");
    expect(await one.get("k", LATEST)).toBe("new");
  });

  test("the lease is renewed every third of its time, until the loader ends", async () => {
    const clock = new ManualClock();
    const one = await server(clock);
    const loading = one.getOrSet("k", source.load, { leaseSeconds: 30 });
    await source.called(1);
    const renewals = (of: readonly string[]): number =>
      of.filter((call) => call === "renewLease").length;
    for (let n = 1; n <= 3; n += 1) {
      await clock.advance(9_999);
      expect(renewals(calls)).toBe(n - 1);
      await clock.advance(1);
      while (renewals(answers) < n) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    source.answer("loaded");
    expect(await loading).toBe("loaded");
    await clock.advance(60_000);
    expect(renewals(calls)).toBe(3);
    expect(calls).not.toContain("releaseLease");
  });

  test("a loader that takes too long is given up, and its late value goes nowhere", async () => {
    const clock = new ManualClock();
    const [one, two] = [await server(clock), await server()];
    const loading = Array.from({ length: 3 }, () =>
      expectCode("DEADLINE_EXCEEDED", () =>
        one.getOrSet("k", source.load, { loaderTimeoutMs: 5_000 }),
      ),
    );
    await source.called(1);
    await clock.advance(5_000);
    await Promise.all(loading);
    expect(source.calls).toBe(1);
    source.answer("late");
    expect(await two.get("k", LATEST)).toBe(undefined);
    expect(await two.getOrSet("k", () => "next")).toBe("next");
  });

  test("who waits for another server waits no longer than for a loader of its own", async () => {
    const clock = new ManualClock();
    const [one, two] = [await server(), await server(clock)];
    const loading = one.getOrSet("k", source.load);
    await source.called(1);
    let over = false;
    const waiting = expectCode("DEADLINE_EXCEEDED", () =>
      two.getOrSet("k", source.load, { loaderTimeoutMs: 60_000 }),
    ).finally(() => (over = true));
    while (!over) {
      await clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await waiting;
    source.answer("loaded");
    expect(await loading).toBe("loaded");
    expect(source.calls).toBe(1);
  });

  test("what cannot be stored is refused before the loader is called", async () => {
    const one = await server();
    const { load } = source;
    await expectCode("INVALID_TTL", () => one.getOrSet("k", load, { ttlSeconds: -1 }));
    await expectCode("INVALID_TAGS", () => one.getOrSet("k", load, { tags: [""] }));
    await expectCode("INVALID_ARGUMENT", () => one.getOrSet("k", load, { leaseSeconds: 0 }));
    await expectCode("INVALID_ARGUMENT", () => one.getOrSet("k", load, { loaderTimeoutMs: 1e9 }));
    await expectCode("INVALID_ARGUMENT", () =>
      one.getOrSet("k", load, { durability: "ephemeral" }),
    );
    await expectCode("EPHEMERAL_NEEDS_L2", () =>
      one.getOrSet("k", load, { durability: "ephemeral", ttlSeconds: 5 }),
    );
    expect(source.calls).toBe(0);
    expect(calls).toEqual([]);
  });

  test("a value that cannot be stored frees the key at once", async () => {
    const [one, two] = [await server(), await server()];
    await expectCode("INVALID_VALUE", () => one.getOrSet<unknown>("k", () => undefined));
    await expectCode("INVALID_VALUE", () => one.getOrSet<unknown>("k", () => () => 1));
    expect(await two.getOrSet("k", () => "two")).toBe("two");
  });

  test("what a loader brings is stored as the options say", async () => {
    const one = await server();
    const options = { metadata: { a: 1 }, tags: ["t"], ttlSeconds: 500, tierHint: "l0" } as const;
    const value = await one.getOrSet("k", () => ({ n: [1] }), options);
    expect(value).toEqual({ n: [1] });
    expect(Object.isFrozen(value.n)).toBe(true);
    const item = await one.getItem("k", LATEST);
    expect(item?.metadata).toEqual({ a: 1 });
    expect(item?.tags).toEqual(["t"]);
    expect(item?.ttlSeconds).toBeGreaterThan(400);
  });
}

describe("loaders, embedded", () => {
  loaderSuite(async () => embeddedDatabase());

  test("of the one process that owns the data: no lease, and no old value either", async () => {
    const authority = await openAuthority(embeddedDatabase());
    const memory = await openManager(authority, "usual");
    const source = new Source();
    const loading = memory.getOrSet("k", source.load);
    await source.called(1);
    await memory.set("k", "x");
    await memory.delete("k");
    source.answer("old");
    expect(await loading).toBe("old");
    expect(await memory.get("k", LATEST)).toBe(undefined);
    const inVain = memory.getOrSet("k", source.load);
    await source.called(2);
    await memory.delete("k");
    source.answer("old");
    expect(await inVain).toBe("old");
    expect(await memory.get("k", LATEST)).toBe(undefined);
    const values = Array.from({ length: CALLERS }, () => memory.getOrSet("k", source.load));
    await source.called(3);
    source.answer("new");
    expect(new Set(await Promise.all(values))).toEqual(new Set(["new"]));
    expect(source.calls).toBe(3);
    await memory.set("other", 1, { durability: "ephemeral", ttlSeconds: 500 });
    expect(await memory.getOrSet<number>("other", () => 2)).toBe(1);
    const vanishing = { durability: "ephemeral", ttlSeconds: 500 } as const;
    expect(await memory.getOrSet("vanishing", () => 3, vanishing)).toBe(3);
    expect(await memory.getOrSet("vanishing", () => 4, vanishing)).toBe(3);
    expect((await authority.getMany([{ namespace: "", key: "vanishing" }]))[0]).toBe(undefined);
    await memory.close();
    await authority.close();
  });
});

describeWithPostgres("loaders, server", () => {
  loaderSuite(async () => serverDatabase(await testDatabase()));
});
