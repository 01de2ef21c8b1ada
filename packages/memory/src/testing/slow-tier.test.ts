import { expect, test } from "vitest";
import type { AuthorityTier } from "../tiers/authority.ts";
import { FaultPlan } from "./fault-plan.ts";
import { expectCode } from "./expect-code.ts";
import { faultyAuthority } from "./faulty-tier.ts";
import { ManualClock } from "./manual-clock.ts";
import { slowAuthority } from "./slow-tier.ts";

/** Answers two calls and nothing else. */
function fakeAuthority(): AuthorityTier {
  const calls: Partial<AuthorityTier> = {
    getMany: async (refs) => refs.map(() => undefined),
    write: async () => [],
    exclusive: true,
  };
  const missing = (): never => {
    throw new Error("not in this fake");
  };
  return Object.assign(Object.create(null), { follow: missing }, calls);
}

test("a slowed call waits on the clock given, others do not", async () => {
  const clock = new ManualClock();
  const authority = slowAuthority(fakeAuthority(), {
    clock,
    delay: (method) => (method === "write" ? { beforeMs: 10, afterMs: 5 } : undefined),
  });
  expect(await authority.getMany([{ namespace: "", key: "k" }])).toEqual([undefined]);
  let done = false;
  const writing = authority.write([]).then(() => (done = true));
  await clock.advance(14);
  expect(done).toBe(false);
  await clock.advance(1);
  await writing;
  expect(authority.exclusive).toBe(true);
});

test("a faulty authority says of a write that it cannot tell, of a read never", async () => {
  const plan = new FaultPlan();
  const authority = faultyAuthority(fakeAuthority(), plan);
  plan.failWhen(() => true, "after");
  await expectCode("OUTCOME_UNKNOWN", () => authority.write([]));
  await expectCode("STORE_UNAVAILABLE", () => authority.getMany([]));
  plan.failWhen((call) => call.method === "write" && call.nth === 2, "before");
  await authority.write([]);
  await expectCode("STORE_UNAVAILABLE", () => authority.write([]));
  expect([plan.calls("write"), plan.calls("getMany"), plan.injected]).toEqual([3, 1, 3]);
});
