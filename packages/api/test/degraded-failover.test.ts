import { startRedisCluster, startRedisSentinel } from "@cherry-ai/services";
import { describeWithPostgresAndRedis, testDatabase } from "@cherry-ai/services/vitest";
import { expect, onTestFinished, test } from "vitest";
import { expectPromisesKept, expectSound, receiptTiers, serve, stateOf } from "./degraded.ts";
import type { Call } from "./degraded.ts";
import { freshNamespace, itemPath } from "./server.ts";

/** Two that fail over, told apart by nothing but how they are set up. */
interface Redises {
  readonly url: string;
  failOver(): Promise<unknown>;
  remove(): Promise<void>;
}

const KINDS: readonly { readonly name: string; readonly start: () => Promise<Redises> }[] = [
  { name: "sentinels", start: () => startRedisSentinel() },
  {
    name: "a cluster",
    start: async () => {
      const cluster = await startRedisCluster();
      const failOver = async (): Promise<unknown> => {
        const [master] = await cluster.masters();
        if (master === undefined) throw new Error("the cluster has no master");
        return cluster.failOver(master);
      };
      return { url: cluster.url, failOver, remove: () => cluster.remove() };
    },
  },
];

/** Writes by one, reads by the other, as long as something lasts; states that the tier was seen in. */
async function workDuring(
  { a, b }: { readonly a: Call; readonly b: Call },
  lasting: Promise<unknown>,
): Promise<ReadonlySet<string | undefined>> {
  const seen = new Set<string | undefined>();
  const ns = freshNamespace();
  let isOver = false;
  const over = lasting.finally(() => {
    isOver = true;
  });
  for (let count = 0; !isOver; count += 1) {
    // Keys of all slots.
    const path = itemPath(ns, `k${count % 12}`);
    const put = await a("PUT", path, { value: count, tierHint: "l2" });
    expect([put.status, receiptTiers(put)["l3"]]).toEqual([200, "stored"]);
    const headers = { "x-cherry-session": put.headers.get("x-cherry-session") ?? "" };
    for (const [query, more] of [
      ["?consistency=latest", {}],
      ["", headers],
    ] as const) {
      const read = await b("GET", path + query, undefined, more);
      expect([read.status, read.json?.["value"]]).toEqual([200, count]);
    }
    seen.add((await stateOf(a, "l2"))?.status);
  }
  await over;
  return seen;
}

describeWithPostgresAndRedis("two servers whose Redis fails over", () => {
  test.each(KINDS)(
    "$name: every request is answered right meanwhile, and it is used again",
    async ({ start }) => {
      const redises = await start();
      onTestFinished(() => redises.remove());
      const env = { DATABASE_URL: await testDatabase(), REDIS_URL: redises.url };
      const [a, b] = [await serve(env), await serve(env)];
      await expectSound(a);
      await expectSound(b);
      const seen = await workDuring({ a, b }, redises.failOver());
      expect(seen).toContain("degraded");
      await expectSound(a);
      await expectSound(b);
      await expectPromisesKept(a, b);
      await expect
        .poll(async () => {
          const path = itemPath(freshNamespace(), "k");
          return receiptTiers(await a("PUT", path, { value: 1, tierHint: "l2" }))["l2"];
        })
        .toBe("stored");
    },
  );
});
