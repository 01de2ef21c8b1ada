import { PROBLEM_STATUS } from "@cherry-ai/client/contract";
import type { SchemaObject } from "./schema.ts";
import { ref } from "./schema.ts";

const string = { type: "string" };
const boolean = { type: "boolean" };
const number = { type: "number" };
const integer = { type: "integer", minimum: 0 };
const object = { type: "object" };
const time = { type: "string", format: "date-time" };
const version = {
  type: "string",
  pattern: "^[0-9]+$",
  description: "Comparable within one key only.",
};
const tier = { type: "string", enum: ["l0", "l1", "l2", "l3", "l4"] };
const strings = { type: "array", items: string };
const any = { description: "Any JSON value." };

/** An object of which `required` are always there; others are refused in requests. */
function shape(properties: SchemaObject, required: readonly string[] = []): SchemaObject {
  return { type: "object", properties, required, additionalProperties: false };
}

const attributes = {
  metadata: { type: "object", description: "Searchable; at most 16 KiB." },
  tags: { ...strings, maxItems: 32 },
  ttlSeconds: { type: "number", exclusiveMinimum: 0 },
  tierHint: tier,
  durability: { type: "string", enum: ["durable", "ephemeral"] },
  text: string,
  index: boolean,
  embed: boolean,
};

const selection = {
  pattern: {
    type: "string",
    description: "Glob over the whole key: * ? [a-z] [!a-z], \\ escapes.",
  },
  metadataFilter: {
    type: "object",
    description: "$eq $ne $gt $gte $lt $lte $in $nin $exists $and $or $not.",
  },
  tags: { ...strings, description: "All of them must be on the item." },
  below: { type: "boolean", description: "Also all namespaces below this one." },
};

const mode = { type: "string", enum: ["keyword", "semantic", "hybrid"], default: "keyword" };

const moment = {
  type: "string",
  description: "A day, in UTC, or a moment with its zone.",
  examples: ["2026-05-08", "2026-05-08T13:56:00Z"],
};

const indexLag = shape({ changes: integer, seconds: number, rebuilding: boolean }, [
  "changes",
  "seconds",
]);

/** A memory as it is recalled. */
const recalled = {
  id: string,
  version,
  metadata: object,
  text: string,
  speaker: string,
  sessionId: string,
  at: time,
  importance: number,
  pinned: { const: true },
  validFrom: time,
  validTo: time,
  supersededBy: string,
  supersedes: strings,
  count: integer,
  duplicateOf: string,
};
const RECALLED_ALWAYS = ["id", "version", "metadata", "text", "at", "count"];

const receipt = {
  key: string,
  version,
  tiers: {
    type: "object",
    additionalProperties: { enum: ["stored", "pending", "skipped", "failed"] },
  },
};

const item = {
  namespace: string,
  key: string,
  value: any,
  metadata: object,
  tags: strings,
  tier,
  version,
  createdAt: time,
  updatedAt: time,
  accessedAt: time,
  accessCount: integer,
  sizeBytes: integer,
  ttlSeconds: number,
  expiresAt: time,
  checksum: string,
  score: { type: "number", description: "Of a search with a query: higher is better." },
};

const tierReports = { type: "array", items: ref("TierReport") };

export const SCHEMAS: { readonly [name: string]: SchemaObject } = {
  Item: shape(item, [
    ...["namespace", "key", "value", "metadata", "tags", "tier", "version", "createdAt"],
    ...["updatedAt", "accessedAt", "accessCount", "sizeBytes", "checksum"],
  ]),
  PutRequest: shape({ value: any, ...attributes }, ["value"]),
  Receipt: shape(receipt, ["key", "version", "tiers"]),
  DeleteReceipt: shape({ ...receipt, existed: boolean }, ["key", "version", "tiers", "existed"]),
  BatchOperation: {
    oneOf: [
      shape(
        {
          type: { const: "set" },
          key: string,
          value: any,
          ...attributes,
          ifVersion: { type: ["string", "null"] },
        },
        ["type", "key", "value"],
      ),
      shape({ type: { enum: ["get", "exists"] }, key: string }, ["type", "key"]),
      shape({ type: { const: "delete" }, key: string, ifVersion: string }, ["type", "key"]),
      shape(
        {
          type: { const: "touch" },
          key: string,
          ttlSeconds: attributes.ttlSeconds,
          ifVersion: string,
        },
        ["type", "key"],
      ),
    ],
  },
  BatchRequest: shape(
    {
      operations: { type: "array", maxItems: 1000, items: ref("BatchOperation") },
      atomic: boolean,
    },
    ["operations"],
  ),
  BatchResult: shape(
    {
      type: string,
      key: string,
      success: boolean,
      found: boolean,
      value: any,
      version,
      existed: boolean,
      error: shape({ code: string, message: string, retryable: boolean }),
      latencyMs: number,
      tierAccessed: { type: ["string", "null"] },
    },
    ["type", "key", "success", "found", "latencyMs", "tierAccessed"],
  ),
  BatchResponse: shape({ results: { type: "array", items: ref("BatchResult") } }, ["results"]),
  SearchRequest: shape({
    ...selection,
    query: string,
    mode,
    limit: { type: "integer", minimum: 1, maximum: 1000, default: 50 },
    cursor: string,
    explain: boolean,
  }),
  SearchResponse: shape(
    {
      items: { type: "array", items: ref("Item") },
      nextCursor: string,
      explain: object,
      indexLag,
    },
    ["items"],
  ),
  RememberRequest: shape(
    {
      id: { type: "string", description: "The same again is an update. Default: by the words." },
      sessionId: string,
      text: string,
      speaker: string,
      at: moment,
      metadata: { type: "object", description: "Searchable; at most 16 KiB." },
      importance: { type: "number", minimum: 0, maximum: 1 },
      pinned: boolean,
      validFrom: moment,
      supersedes: {
        oneOf: [string, { ...strings, maxItems: 32 }],
        description: "Ids of memories that hold no more from then on.",
      },
      ttlSeconds: { type: "number", exclusiveMinimum: 0 },
    },
    ["text"],
  ),
  RememberReceipt: shape({ ...receipt, id: string, duplicateOf: string }, [
    "key",
    "version",
    "tiers",
    "id",
  ]),
  RecallRequest: shape(
    {
      query: string,
      sessionId: string,
      limit: { type: "integer", minimum: 1, maximum: 1000, default: 10 },
      asOf: moment,
      from: moment,
      to: moment,
      neighbours: { type: "integer", minimum: 0, maximum: 10, default: 1 },
      tokenBudget: { type: "integer", minimum: 0, maximum: 1_000_000, default: 2000 },
      mode,
      explain: boolean,
    },
    ["query"],
  ),
  RecalledMemory: shape(recalled, RECALLED_ALWAYS),
  RecallResponse: shape(
    {
      items: {
        type: "array",
        items: shape(
          {
            ...recalled,
            score: number,
            neighbours: { type: "array", items: ref("RecalledMemory") },
            signals: { type: "object", additionalProperties: number },
          },
          [...RECALLED_ALWAYS, "score", "neighbours"],
        ),
      },
      context: { type: "string", description: "A line a turn: [2026-05-08 13:56] Ann: text" },
      tokens: integer,
      degraded: string,
      indexLag,
    },
    ["items", "context", "tokens"],
  ),
  FeedbackRequest: shape({ query: string, relevant: { ...strings, minItems: 1, maxItems: 100 } }, [
    "query",
    "relevant",
  ]),
  ForgetRequest: shape({ keys: strings, ...selection, dryRun: boolean }),
  ForgetReceipt: shape(
    {
      forgotten: integer,
      dryRun: boolean,
      places: {
        type: "object",
        additionalProperties: { enum: ["removed", "none", "pending"] },
      },
      job: { type: "string", description: "Present with 202: follow it at Location." },
    },
    ["forgotten", "dryRun", "places"],
  ),
  Job: shape(
    {
      id: string,
      namespace: string,
      kind: { const: "forget" },
      state: { enum: ["running", "done", "failed"] },
      forgotten: integer,
      createdAt: time,
      updatedAt: time,
      error: string,
    },
    ["id", "namespace", "kind", "state", "forgotten", "createdAt", "updatedAt"],
  ),
  ExportLine: shape(
    {
      namespace: string,
      key: string,
      value: any,
      metadata: object,
      tags: strings,
      text: string,
      index: boolean,
      embed: boolean,
      expiresAt: time,
      version,
      createdAt: time,
      updatedAt: time,
    },
    ["key", "value"],
  ),
  ImportReceipt: shape(
    {
      imported: integer,
      lines: integer,
      failed: { type: "array", items: shape({ line: integer, code: string }, ["line", "code"]) },
    },
    ["imported", "lines", "failed"],
  ),
  Change: shape(
    {
      namespace: string,
      key: string,
      version,
      op: { enum: ["put", "remove", "touch", "expire", "clear"] },
      below: {
        type: "boolean",
        description:
          "On a clear, whose key is empty: whether all namespaces below were emptied too.",
      },
      at: time,
    },
    ["namespace", "key", "version", "op", "at"],
  ),
  TierReport: {
    type: "object",
    properties: {
      tier,
      status: { enum: ["ready", "degraded", "off", "closed"] },
      reason: string,
      warning: string,
      capabilities: object,
      usage: object,
    },
    required: ["tier", "status"],
  },
  Health: shape(
    {
      status: { enum: ["starting", "ready", "degraded", "draining"] },
      tiers: tierReports,
    },
    ["status", "tiers"],
  ),
  Stats: {
    type: "object",
    properties: {
      uptimeSeconds: number,
      status: string,
      tiers: tierReports,
      maxStalenessMs: number,
      moves: shape({ promoted: integer, demoted: integer }),
    },
    required: ["uptimeSeconds", "status", "tiers"],
  },
  OptimizeReport: shape({ promoted: integer, demoted: integer, swept: integer }),
  Explanation: { type: "object", required: ["key", "namespace", "tiers"] },
  Problem: {
    type: "object",
    properties: {
      type: { type: "string", format: "uri" },
      title: string,
      status: integer,
      detail: string,
      code: { type: "string", enum: Object.keys(PROBLEM_STATUS) },
      retryable: boolean,
      field: string,
      requestId: string,
      currentVersion: { type: ["string", "null"] },
      index: integer,
    },
    required: ["type", "title", "status", "detail", "code", "retryable", "requestId"],
  },
};
