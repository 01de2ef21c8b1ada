import { MemoryError } from "@cherry-ai/memory";
import type { RawItem, ReadOptions, Receipt } from "@cherry-ai/memory";
import { PATCH_TYPES, itemBodyBytesMax, readJson } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { hasVersion, idempotencyKey, ifMatch, onlyIfAbsent, writeIf } from "../http/conditions.ts";
import { checkFields } from "../http/fields.ts";
import { readQuery } from "../http/query.ts";
import type { Route } from "../http/route.ts";
import { hasSession, inSession, sessionHeader, sessionParameter } from "../http/session.ts";
import { header, jsonBody, jsonResponse, ref } from "../openapi/schema.ts";
import { PUT_FIELDS, setOptions } from "./item-fields.ts";
import { itemText } from "./item-text.ts";
import { readOptions, readParameters } from "./read-options.ts";

export const ITEM_PATH = "/v1/namespaces/{ns}/items/{key}";
const TAGS = ["items"];

const matching = header(
  "If-Match",
  'Only if the item has this version: "42", or one of several, "41", "42"; * = must exist. Compared strongly: a weak tag, or one that is no version, matches nothing (412).',
);
const idempotency = header(
  "Idempotency-Key",
  "The same key (24 h) gives the first receipt again; with another request 422.",
  { type: "string", minLength: 1, maxLength: 255 },
);
const conflict = { $ref: "#/components/responses/Problem" };

/** At once for a copy at hand: this is the hottest path of the server. */
function getItem(call: Call): Promise<void> | void {
  const key = call.parameter("key");
  const options = readOptions(call.req);
  if (hasSession(call.req)) return getInSession(call, key, options);
  const { memory } = call.context;
  const found = memory.getRaw(call.namespace, key, options);
  const answer = (item: RawItem | undefined): void => {
    call.sessionToken = memory.readToken(call.namespace, key, item);
    answerItem(call, key, item);
  };
  return found instanceof Promise ? found.then(answer) : answer(found);
}

async function getInSession(
  call: Call,
  key: string,
  options: ReadOptions | undefined,
): Promise<void> {
  answerItem(call, key, await call.session.getRaw(key, options));
}

function answerItem(call: Call, key: string, item: RawItem | undefined): void {
  if (item === undefined) throw absent(key);
  const headers = itemHeaders(item);
  const known = call.req.headers["if-none-match"];
  if (known !== undefined && hasVersion(known, item.version)) {
    call.open(304, headers);
    call.res.end();
    return;
  }
  headers.push("Content-Type", "application/json");
  call.sendBytes(200, headers, itemText(item));
}

function itemHeaders(item: RawItem): string[] {
  const headers = ["ETag", `"${item.version}"`, "X-Cherry-Tier", item.tier];
  // A shared cache in between could not keep the staleness bound.
  headers.push("Cache-Control", "no-cache");
  if (item.degradedAgeMs !== undefined)
    headers.push("X-Cherry-Degraded", "l3", "X-Cherry-Age-Ms", String(item.degradedAgeMs));
  return headers;
}

function absent(key: string): MemoryError {
  return new MemoryError("NOT_FOUND", `item ${JSON.stringify(key.slice(0, 100))} does not exist`, {
    field: "key",
  });
}

async function putItem(call: Call): Promise<void> {
  const { key } = call;
  readQuery(call.target, []);
  const absent = onlyIfAbsent(call.req);
  const match = ifMatch(call.req);
  const idempotent = idempotencyKey(call.req);
  const body = await readJson(call, itemBodyBytesMax(call.context.limits));
  const { value, ...attributes } = checkFields(body, PUT_FIELDS);
  if (value === undefined)
    throw new MemoryError("INVALID_VALUE", "value: expected any JSON value, got nothing", {
      field: "value",
    });
  const options = {
    ...setOptions(attributes),
    ...(absent ? { ifVersion: null } : {}),
    ...(idempotent === undefined ? {} : { idempotencyKey: idempotent }),
  };
  const receipt = await writeIf(key, match, (held) =>
    call.session.set(key, value, { ...options, ...held }),
  );
  sendReceipt(call, receipt);
}

async function patchItem(call: Call): Promise<void> {
  const { key } = call;
  readQuery(call.target, []);
  const match = ifMatch(call.req);
  const idempotent = idempotencyKey(call.req);
  const patch = await readJson(call, itemBodyBytesMax(call.context.limits), PATCH_TYPES);
  const options = idempotent === undefined ? {} : { idempotencyKey: idempotent };
  const receipt = await writeIf(key, match, (held) =>
    call.session.mergePatch(key, patch, { ...options, ...held }),
  );
  sendReceipt(call, receipt);
}

async function deleteItem(call: Call): Promise<void> {
  const { key } = call;
  readQuery(call.target, []);
  const match = ifMatch(call.req);
  const idempotent = idempotencyKey(call.req);
  const options = idempotent === undefined ? {} : { idempotencyKey: idempotent };
  const receipt = await writeIf(key, match, (held) =>
    call.session.delete(key, { ...options, ...held }),
  );
  call.json(200, receipt);
}

function sendReceipt(call: Call, receipt: Receipt): void {
  call.json(200, receipt, ["ETag", `"${receipt.version}"`]);
}

export const itemRoutes: readonly Route[] = [
  {
    method: "GET",
    path: ITEM_PATH,
    access: "reader",
    handle: getItem,
    operation: {
      operationId: "getItem",
      summary: "Read an item",
      tags: TAGS,
      parameters: [
        ...readParameters,
        sessionParameter,
        header("If-None-Match", "Versions that the caller has: 304 when one is current."),
      ],
      responses: {
        "200": {
          ...jsonResponse("The item.", ref("Item")),
          headers: {
            ...sessionHeader,
            ETag: { description: "The version, in quotes.", schema: { type: "string" } },
            "X-Cherry-Tier": { description: "Who served it.", schema: { type: "string" } },
            "X-Cherry-Degraded": {
              description: "l3: the store is away, this is a copy.",
              schema: { type: "string" },
            },
            "X-Cherry-Age-Ms": {
              description: "How old that copy may be.",
              schema: { type: "integer" },
            },
          },
        },
        "304": { description: "The caller's version is current." },
        "404": conflict,
      },
    },
  },
  {
    method: "PUT",
    path: ITEM_PATH,
    access: "writer",
    handle: putItem,
    operation: {
      operationId: "putItem",
      summary: "Write an item, replacing all of it",
      tags: TAGS,
      parameters: [
        matching,
        header("If-None-Match", "*: only if there is no item."),
        idempotency,
        sessionParameter,
      ],
      ...jsonBody("PutRequest", { value: { name: "John", age: 30 }, metadata: { kind: "user" } }),
      responses: { "200": inSession(jsonResponse("Receipt.", ref("Receipt"))), "412": conflict },
    },
  },
  {
    method: "PATCH",
    path: ITEM_PATH,
    access: "writer",
    handle: patchItem,
    operation: {
      operationId: "patchItem",
      summary: "Merge into an item's value (RFC 7396)",
      tags: TAGS,
      parameters: [matching, idempotency, sessionParameter],
      requestBody: {
        required: true,
        content: {
          "application/merge-patch+json": {
            schema: { description: "A JSON merge patch." },
            example: { age: 31, name: null },
          },
        },
      },
      responses: { "200": inSession(jsonResponse("Receipt.", ref("Receipt"))), "412": conflict },
    },
  },
  {
    method: "DELETE",
    path: ITEM_PATH,
    access: "writer",
    handle: deleteItem,
    operation: {
      operationId: "deleteItem",
      summary: "Delete an item",
      tags: TAGS,
      parameters: [matching, idempotency, sessionParameter],
      responses: {
        "200": inSession(jsonResponse("Receipt.", ref("DeleteReceipt"))),
        "412": conflict,
      },
    },
  },
];
