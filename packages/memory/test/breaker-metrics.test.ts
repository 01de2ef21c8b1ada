import { expect, test } from "vitest";
import { PrometheusMetrics } from "../src/metrics/prometheus.ts";
import { systemClock, systemRandom } from "../src/model/clock.ts";
import { PgDatabase } from "../src/tiers/postgres/pg-database.ts";
import { RedisTier } from "../src/tiers/redis/redis-tier.ts";

test("the breaker of each tier that has one shows from the start", async () => {
  const metrics = new PrometheusMetrics();
  const parts = { clock: systemClock, random: systemRandom, metrics };
  const tier = new RedisTier({ ...parts, url: "redis://127.0.0.1:1" });
  const database = new PgDatabase({ ...parts, url: "postgres://127.0.0.1:1/db", poolMax: 1 });
  const text = await metrics.registry.metrics();
  expect(text).toContain('cherry_breaker_state{tier="l2"} 0\n');
  expect(text).toContain('cherry_breaker_state{tier="l3"} 0\n');
  await Promise.all([tier.close(), database.close()]);
});
