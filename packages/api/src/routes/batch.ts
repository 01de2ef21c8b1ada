import { MemoryError } from "@cherry-ai/memory";
import type { BatchOperation } from "@cherry-ai/memory";
import { readJson } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { idempotencyKey } from "../http/conditions.ts";
import { checkFields, flag, invalid, isObject, judgedLater, list } from "../http/fields.ts";
import type { Fields } from "../http/fields.ts";
import type { Route } from "../http/route.ts";
import { inSession, sessionParameter } from "../http/session.ts";
import { header, jsonBody, jsonResponse, ref } from "../openapi/schema.ts";
import { ATTRIBUTE_FIELDS } from "./item-fields.ts";
import { consistencyOption, consistencyParameter } from "./read-options.ts";

const BATCH_FIELDS: Fields = new Map([
  ["operations", list],
  ["atomic", flag],
]);

const address = [
  ["type", judgedLater],
  ["key", judgedLater],
] as const;
const ifVersion = ["ifVersion", judgedLater] as const;

const OPERATION_FIELDS: ReadonlyMap<unknown, Fields> = new Map<string, Fields>([
  ["get", new Map(address)],
  ["exists", new Map(address)],
  ["delete", new Map([...address, ifVersion])],
  ["touch", new Map([...address, ["ttlSeconds", judgedLater], ifVersion])],
  ["set", new Map([...address, ["value", judgedLater], ...ATTRIBUTE_FIELDS, ifVersion])],
]);

/** Operations whose fields are known; keys, values and the rest are judged by the memory. */
function checkOperations(operations: readonly unknown[]): readonly BatchOperation[] {
  for (const [index, operation] of operations.entries()) {
    const where = `operations[${index}]`;
    if (!isObject(operation)) throw invalid(where, "an object with type and key", operation);
    const fields = OPERATION_FIELDS.get(operation["type"]);
    if (fields === undefined)
      throw invalid(`${where}.type`, "get, set, delete, exists or touch", operation["type"]);
    checkFields(operation, fields, `${where}.`);
    if (operation["type"] === "set" && operation["value"] === undefined)
      throw invalid(`${where}.value`, "any JSON value", undefined);
  }
  return operations as readonly BatchOperation[];
}

async function runBatch(call: Call): Promise<void> {
  const { limits } = call.context;
  const consistency = consistencyOption(call.target);
  const idempotent = idempotencyKey(call.req);
  const body = checkFields(await readJson(call, limits.batchBytes), BATCH_FIELDS);
  const { operations, atomic } = body;
  if (!Array.isArray(operations)) throw invalid("operations", "a list of operations", operations);
  if (operations.length > limits.batchOperations)
    throw new MemoryError(
      "BATCH_TOO_LARGE",
      `operations: expected at most ${limits.batchOperations}, got ${operations.length}; send several batches`,
      { field: "operations" },
    );
  const results = await call.session.batchOperations(checkOperations(operations), {
    ...consistency,
    ...(atomic === true ? { atomic } : {}),
    ...(idempotent === undefined ? {} : { idempotencyKey: idempotent }),
  });
  call.json(200, { results });
}

export const batchRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/namespaces/{ns}/batch",
    access: "writer",
    handle: runBatch,
    operation: {
      operationId: "runBatch",
      summary: "Up to 1,000 operations in one round trip per tier",
      description:
        "Results come in the order of the operations, and 200 also when single ones fail. atomic: all or nothing.",
      tags: ["items"],
      parameters: [
        consistencyParameter,
        header("Idempotency-Key", "The same key gives the first results again."),
        sessionParameter,
      ],
      ...jsonBody("BatchRequest", {
        operations: [
          { type: "set", key: "item:1", value: { data: 1 } },
          { type: "get", key: "user:123" },
        ],
      }),
      responses: { "200": inSession(jsonResponse("Results.", ref("BatchResponse"))) },
    },
  },
];
