import { describe, expect, test } from "vitest";
import { PrometheusMetrics } from "./prometheus.ts";

async function lines(metrics: PrometheusMetrics, name: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split("\n").filter((line) => line.startsWith(name));
}

describe("PrometheusMetrics", () => {
  test("times operations in seconds, by tier and operation", async () => {
    const metrics = new PrometheusMetrics();
    metrics.latency("l3", "get", 2);
    metrics.latency("l3", "get", 4);
    expect(await lines(metrics, "cherry_tier_operation_seconds_sum")).toEqual([
      'cherry_tier_operation_seconds_sum{tier="l3",operation="get"} 0.006',
    ]);
    expect(await lines(metrics, "cherry_tier_operation_seconds_count")).toEqual([
      'cherry_tier_operation_seconds_count{tier="l3",operation="get"} 2',
    ]);
  });

  test("counts moves, errors and retries, and shows the breaker as a number", async () => {
    const metrics = new PrometheusMetrics();
    metrics.move("l1", "l0", "promote", "read");
    metrics.move("l1", "l0", "promote", "read");
    metrics.error("l3", "get", "STORE_UNAVAILABLE");
    metrics.retry("l3", "get");
    metrics.breaker("l3", "open");
    expect(await lines(metrics, "cherry_moves_total")).toEqual([
      'cherry_moves_total{from="l1",to="l0",direction="promote",reason="read"} 2',
    ]);
    expect(await lines(metrics, "cherry_tier_errors_total")).toEqual([
      'cherry_tier_errors_total{tier="l3",operation="get",code="STORE_UNAVAILABLE"} 1',
    ]);
    expect(await lines(metrics, "cherry_tier_retries_total")).toHaveLength(1);
    expect(await lines(metrics, "cherry_breaker_state")).toEqual([
      'cherry_breaker_state{tier="l3"} 2',
    ]);
  });

  test("reads what a manager counts itself at each scrape, and nothing of tiers that are off", async () => {
    const usage = {
      items: 3,
      bytes: 100,
      maxBytes: 1000,
      maxItems: 10,
      hits: 7,
      misses: 2,
      evictions: 1,
      expirations: 0,
    };
    const tiers = [
      { tier: "l1", status: "ready", usage },
      { tier: "l3", status: "degraded" },
      { tier: "l4", status: "off" },
    ] as const;
    const metrics = new PrometheusMetrics();
    metrics.observe({ describeTiers: () => tiers });
    expect(await lines(metrics, "cherry_tier_hits_total")).toEqual([
      'cherry_tier_hits_total{tier="l1"} 7',
    ]);
    usage.hits = 9;
    expect(await lines(metrics, "cherry_tier_hits_total")).toEqual([
      'cherry_tier_hits_total{tier="l1"} 9',
    ]);
    expect(await lines(metrics, "cherry_tier_up")).toEqual([
      'cherry_tier_up{tier="l1"} 1',
      'cherry_tier_up{tier="l3"} 0',
    ]);
  });
});
