import { resolve } from "node:path";
import { MEMORY_TIERS } from "@cherry-ai/memory";
import type { MemoryTier } from "@cherry-ai/memory";
import type { ApiConfig } from "../config/api-config.ts";
import type { CherryServer } from "../server/server.ts";

const ABOUT: { readonly [tier in MemoryTier]: string } = {
  l0: "hottest items, decoded, in this process",
  l1: "process memory",
  l2: "shared memory",
  l3: "system of record",
  l4: "search by meaning",
};

/** What a newcomer wants to know, before the server is ready. */
export function devBanner(config: ApiConfig, server: CherryServer): string {
  const off = new Map(
    server.memory
      .describeTiers()
      .filter(({ status }) => status === "off")
      .map(({ tier, reason }) => [tier, reason ?? "not configured"]),
  );
  const tiers = MEMORY_TIERS.map((tier) => {
    const reason = off.get(tier);
    const name = tier.toUpperCase();
    return reason === undefined
      ? `  ${name}  on   ${ABOUT[tier]}${tier === "l3" ? `: ${storeName(config)}` : ""}`
      : `  ${name}  off  ${reason}`;
  });
  return [
    "",
    `Cherry Memory  ${server.url}`,
    `Storage        ${storage(config)}`,
    "Tiers",
    ...tiers,
    "",
    "Try it:",
    `  ${curlLine(config, server.url)}`,
    "",
  ].join("\n");
}

function storage(config: ApiConfig): string {
  if (config.memory.tiers.L3.url !== undefined) return storeName(config);
  const { dataDir } = config.memory;
  return dataDir === ":memory:" ? "in memory, gone at exit" : resolve(dataDir);
}

/** Never the whole URL: it may carry a password. */
function storeName(config: ApiConfig): string {
  const { url } = config.memory.tiers.L3;
  if (url === undefined) return "embedded PostgreSQL (PGlite)";
  return `PostgreSQL at ${URL.parse(url)?.host || "a local socket"}`;
}

function curlLine(config: ApiConfig, url: string): string {
  const token = config.auth.kind === "loopback" ? "" : ` -H "authorization: Bearer $TOKEN"`;
  return (
    `curl -X PUT ${url}/v1/namespaces/demo/items/hello -H 'content-type: application/json'` +
    `${token} -d '{"value":{"greeting":"world"}}'`
  );
}
