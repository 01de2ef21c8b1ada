import { HttpMetrics } from "../../packages/api/src/metrics/http-metrics.ts";
import { ServerState } from "../../packages/api/src/server/server-state.ts";
import { PrometheusMetrics } from "../../packages/memory/src/metrics/prometheus.ts";

interface MetricLine {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** What a server exposes, read from the registry that it exposes. */
async function exposedMetrics(): Promise<readonly MetricLine[]> {
  const metrics = new PrometheusMetrics();
  metrics.observe({ describeTiers: () => [] });
  new HttpMetrics(metrics.registry, new ServerState());
  const described = await metrics.registry.getMetricsAsJSON();
  const labels = new Map(
    metrics.registry.getMetricsAsArray().map((metric) => [metric.name, labelNames(metric)]),
  );
  return described
    .filter(({ name }) => name.startsWith("cherry_"))
    .map(({ name, help, type }) => ({
      name,
      help,
      type: String(type),
      labels: labels.get(name) ?? [],
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** prom-client keeps them on every metric and leaves them out of its types. */
function labelNames(metric: object): readonly string[] {
  if (!("labelNames" in metric) || !Array.isArray(metric.labelNames)) return [];
  return metric.labelNames.map(String);
}

function section({ name, type, labels, help }: MetricLine): string {
  const by = labels.length === 0 ? "" : `, by ${labels.map((label) => `\`${label}\``).join(", ")}`;
  return `- \`${name}\` (${type}${by}): ${help.replace(/\.$/, "")}.`;
}

export async function metricsBody(): Promise<string> {
  return (await exposedMetrics()).map(section).join("\n");
}
