import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { MemoryTier } from "../model/item.ts";
import type { TierStatus, TierUsage } from "../tiers/tier.ts";
import { PrometheusEmbeddingMetrics } from "./embedding-metrics.ts";
import type { EmbeddedCall } from "./embedding-metrics.ts";
import type { IndexedStep, Metrics, MoveDirection, MoveReason, TierOperation } from "./metrics.ts";

const MS_PER_SECOND = 1000;
/** From a hit in another process on this machine to a database in trouble. */
const LATENCY_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5,
];
const BREAKER_LEVEL = { closed: 0, "half-open": 1, open: 2 } as const;

/** What is read from a manager whenever somebody asks for the metrics. */
export interface Observed {
  describeTiers(): readonly {
    readonly tier: MemoryTier;
    readonly status: TierStatus;
    readonly usage?: TierUsage;
  }[];
}

interface UsageMetric {
  readonly name: string;
  readonly help: string;
  readonly read: (usage: TierUsage) => number;
}

const USAGE_GAUGES: readonly UsageMetric[] = [
  { name: "cherry_tier_items", help: "Items held by the tier", read: (u) => u.items },
  { name: "cherry_tier_bytes", help: "Bytes held by the tier", read: (u) => u.bytes },
  { name: "cherry_tier_max_bytes", help: "Bytes the tier may hold", read: (u) => u.maxBytes },
];

const USAGE_COUNTERS: readonly UsageMetric[] = [
  { name: "cherry_tier_hits_total", help: "Reads that the tier answered", read: (u) => u.hits },
  {
    name: "cherry_tier_misses_total",
    help: "Reads that it could not answer",
    read: (u) => u.misses,
  },
  { name: "cherry_tier_evictions_total", help: "Copies let go for room", read: (u) => u.evictions },
  {
    name: "cherry_tier_expirations_total",
    help: "Copies past their time",
    read: (u) => u.expirations,
  },
];

/** Metrics for Prometheus, in a registry of their own: two managers in one process do not mix. */
export class PrometheusMetrics implements Metrics {
  readonly registry: Registry = new Registry();
  readonly #latency: Histogram<"tier" | "operation">;
  readonly #errors: Counter<"tier" | "operation" | "code">;
  readonly #retries: Counter<"tier" | "operation">;
  readonly #moves: Counter<"from" | "to" | "direction" | "reason">;
  readonly #breaker: Gauge<"tier">;
  readonly #lagChanges: Gauge<"index">;
  readonly #lagSeconds: Gauge<"index">;
  readonly #indexedDocuments: Counter<"index">;
  readonly #embedding: PrometheusEmbeddingMetrics;
  /** prom-client hashes labels at each call; what is used once an operation is looked up once. */
  readonly #timers = new Map<string, Histogram.Internal<"tier" | "operation">>();
  readonly #movers = new Map<string, Counter.Internal>();

  constructor() {
    const registers = [this.registry];
    this.#latency = new Histogram({
      name: "cherry_tier_operation_seconds",
      help: "Time of an operation on a tier outside this process' memory",
      labelNames: ["tier", "operation"],
      buckets: LATENCY_SECONDS,
      registers,
    });
    this.#errors = new Counter({
      name: "cherry_tier_errors_total",
      help: "Operations on a tier that failed, by error code",
      labelNames: ["tier", "operation", "code"],
      registers,
    });
    this.#retries = new Counter({
      name: "cherry_tier_retries_total",
      help: "Operations on a tier that were tried again",
      labelNames: ["tier", "operation"],
      registers,
    });
    this.#moves = new Counter({
      name: "cherry_moves_total",
      help: "Copies that moved between tiers",
      labelNames: ["from", "to", "direction", "reason"],
      registers,
    });
    this.#breaker = new Gauge({
      name: "cherry_breaker_state",
      help: "Circuit breaker of a tier: 0 closed, 1 half open, 2 open",
      labelNames: ["tier"],
      registers,
    });
    this.#lagChanges = new Gauge({
      name: "cherry_index_lag_changes",
      help: "Changes that an index has not taken in yet",
      labelNames: ["index"],
      registers,
    });
    this.#lagSeconds = new Gauge({
      name: "cherry_index_lag_seconds",
      help: "Age of the oldest change that an index has not taken in yet",
      labelNames: ["index"],
      registers,
    });
    this.#indexedDocuments = new Counter({
      name: "cherry_index_documents_total",
      help: "Documents that this server wrote to an index or dropped from it",
      labelNames: ["index"],
      registers,
    });
    this.#embedding = new PrometheusEmbeddingMetrics(this.registry);
  }

  /** Adds the figures that a manager keeps itself; they are read at each scrape. */
  observe(manager: Observed): void {
    for (const { name, help, read } of [...USAGE_GAUGES, ...USAGE_COUNTERS]) {
      const counts = name.endsWith("_total");
      const settings = { name, help, labelNames: ["tier"] as const, registers: [this.registry] };
      const metric = counts
        ? new Counter({ ...settings, collect: () => collect() })
        : new Gauge({ ...settings, collect: () => collect() });
      const collect = (): void => {
        metric.reset();
        for (const { tier, usage } of manager.describeTiers())
          if (usage !== undefined) metric.inc({ tier }, read(usage));
      };
    }
    const up = new Gauge({
      name: "cherry_tier_up",
      help: "1 while the tier answers, 0 while it does not; absent when it is off",
      labelNames: ["tier"],
      registers: [this.registry],
      collect: () => {
        up.reset();
        for (const { tier, status } of manager.describeTiers())
          if (status !== "off") up.set({ tier }, status === "ready" ? 1 : 0);
      },
    });
  }

  latency(tier: MemoryTier, operation: TierOperation, latencyMs: number): void {
    const id = `${tier} ${operation}`;
    let timer = this.#timers.get(id);
    if (timer === undefined) {
      timer = this.#latency.labels(tier, operation);
      this.#timers.set(id, timer);
    }
    timer.observe(latencyMs / MS_PER_SECOND);
  }

  error(tier: MemoryTier, operation: TierOperation, code: string): void {
    this.#errors.inc({ tier, operation, code });
  }

  retry(tier: MemoryTier, operation: TierOperation): void {
    this.#retries.inc({ tier, operation });
  }

  move(from: MemoryTier, to: MemoryTier, direction: MoveDirection, reason: MoveReason): void {
    const id = `${from} ${to} ${reason}`;
    let mover = this.#movers.get(id);
    if (mover === undefined) {
      mover = this.#moves.labels(from, to, direction, reason);
      this.#movers.set(id, mover);
    }
    mover.inc();
  }

  breaker(tier: MemoryTier, state: "closed" | "half-open" | "open"): void {
    this.#breaker.set({ tier }, BREAKER_LEVEL[state]);
  }

  indexed(index: string, step: IndexedStep): void {
    this.#lagChanges.set({ index }, step.lagChanges);
    this.#lagSeconds.set({ index }, step.lagSeconds);
    this.#indexedDocuments.inc({ index }, step.documents);
  }

  embedded(call: EmbeddedCall): void {
    this.#embedding.embedded(call);
  }

  embeddingFailed(model: string, code: string): void {
    this.#embedding.embeddingFailed(model, code);
  }

  embeddingCache(model: string, hits: number, misses: number): void {
    this.#embedding.embeddingCache(model, hits, misses);
  }
}
