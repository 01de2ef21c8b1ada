import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { describeWithRedis } from "@cherry-ai/services/vitest";
import type { EphemeralResult, LeaseToken } from "../../src/tiers/shared.ts";
import type { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import { SlotModel } from "./slot-model.ts";
import { copyOf, recordOf, refOf } from "../../src/testing/shared-suite/fixture.ts";
import { closeTiers, openTier } from "./support.ts";

/** Few versions and places, so that equal ones meet often. */
const version = fc.integer({ min: 0, max: 6 });
const place = fc.integer({ min: 0, max: 6 });
const which = fc.nat({ max: 3 });
const condition = fc.constantFrom("none", "absent", "present", "last", "wrong");

const step = fc.oneof(
  fc.record({ do: fc.constant("lease" as const), version, place }),
  fc.record({ do: fc.constant("fill" as const), version, place, which }),
  fc.record({ do: fc.constant("release" as const), which }),
  fc.record({ do: fc.constant("settle" as const), version, place, copy: fc.boolean() }),
  fc.record({
    do: fc.constantFrom("put" as const, "touch" as const, "remove" as const),
    condition,
    version,
    place,
    timed: fc.boolean(),
  }),
  fc.record({ do: fc.constant("prove" as const), version, place }),
  fc.record({ do: fc.constant("forget" as const) }),
  fc.record({ do: fc.constant("run out" as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const TTL_MS = 600_000;
/** Where the time of the grant stands in a lease, and one long gone. */
const GRANTED_AT = 17;
const LONG_AGO = "0000000000000001";

/** One key in Redis beside the model of it, done the same to. */
class Twin {
  readonly model = new SlotModel();
  readonly #at = refOf("key", "n");
  readonly #leases: { owner: number; token: LeaseToken }[] = [];
  #lastVersion = 1;
  readonly #tier: RedisTier;
  readonly #server: RedisServer;

  constructor(tier: RedisTier, server: RedisServer) {
    this.#tier = tier;
    this.#server = server;
  }

  async run(given: Step): Promise<void> {
    const { model } = this;
    switch (given.do) {
      case "lease":
        return this.#lease(given.version, given.place);
      case "fill": {
        const lease = this.#leases.at(-1 - given.which);
        if (lease === undefined) return;
        const copy = { ...copyOf(this.#at, given.version, given.place), lease: lease.token };
        const expected = model.fill(lease.owner, given.version, given.place);
        expect(await this.#tier.fill([copy])).toEqual([expected]);
        return;
      }
      case "release": {
        const lease = this.#leases.at(-1 - given.which);
        if (lease === undefined) return;
        model.release(lease.owner);
        await this.#tier.release([{ ...this.#at, lease: lease.token }]);
        return;
      }
      case "settle": {
        const copy = given.copy ? copyOf(this.#at, given.version, given.place) : undefined;
        const expected = model.settle(given.version, copy?.provenAt);
        const change = { ...this.#at, version: given.version, copy };
        expect(await this.#tier.settle([change])).toEqual([expected]);
        return;
      }
      case "prove":
        model.prove(this.#lastVersion, given.place, given.version);
        return this.#tier.proveEphemeral(this.#at, {
          version: this.#lastVersion,
          provenAt: given.place,
          baseVersion: given.version,
        });
      case "forget":
        model.forget();
        await this.#server.command("FLUSHDB");
        return;
      case "run out":
        return this.#runOut();
      default:
        return this.#ephemeral(given);
    }
  }

  async look(): Promise<void> {
    const { slot } = this.model;
    const [entry] = await this.#tier.findMany([this.#at]);
    const seen =
      entry === undefined
        ? undefined
        : {
            kind: entry.kind,
            version: entry.record.version,
            provenAt: entry.provenAt,
            ...(entry.kind === "copy" ? {} : { baseVersion: entry.baseVersion }),
          };
    expect(seen).toEqual(slot.kind === "copy" || slot.kind === "ephemeral" ? slot : undefined);
  }

  async #lease(minVersion: number, minProvenAt: number): Promise<void> {
    const owner = this.model.lease({ minVersion, minProvenAt });
    const [token] = await this.#tier.lease([{ ...this.#at, minVersion, minProvenAt }]);
    expect(token !== undefined).toBe(owner !== undefined);
    if (owner !== undefined && token !== undefined) this.#leases.push({ owner, token });
  }

  async #runOut(): Promise<void> {
    if (this.model.slot.kind !== "lease") return;
    this.model.leaseRunsOut();
    const names = await this.#server.command("KEYS", "model:1:*:n*");
    const [name] = Array.isArray(names) ? names : [];
    await this.#server.command("SETRANGE", String(name), GRANTED_AT, LONG_AGO);
  }

  async #ephemeral(given: Extract<Step, { do: "put" | "touch" | "remove" }>): Promise<void> {
    const conditions = {
      none: undefined,
      absent: "absent",
      present: "present",
      last: this.#lastVersion,
      wrong: this.#lastVersion + 1,
    } as const;
    const wanted = conditions[given.condition as keyof typeof conditions];
    const ttlMs = given.timed ? TTL_MS : undefined;
    const proof = { provenAt: given.place, baseVersion: given.version };
    let result: EphemeralResult;
    if (given.do === "put")
      result = await this.#tier.putEphemeral({
        record: recordOf(this.#at, 0),
        ttlMs,
        ...proof,
        condition: wanted,
      });
    else if (given.do === "touch")
      result = await this.#tier.touchEphemeral(this.#at, ttlMs, wanted);
    else result = await this.#tier.removeEphemeral(this.#at, wanted);
    const made = result.status === "written" ? result.version : 0;
    expect(result).toEqual(this.model.ephemeral(given.do, wanted, { made, ...proof }));
    if (made === 0 || given.do === "remove") return;
    expect(made).toBeGreaterThan(this.#lastVersion);
    this.#lastVersion = made;
  }
}

describeWithRedis("the scripts", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterEach(closeTiers);
  afterAll(() => server.remove());

  test("do what the model of one key says, step by step", async () => {
    const tier = await openTier(server.url, { prefix: "model" });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await server.command("FLUSHDB");
        const twin = new Twin(tier, server);
        for (const each of steps) {
          await twin.run(each);
          await twin.look();
        }
      }),
      { numRuns: 150 },
    );
  });
});
