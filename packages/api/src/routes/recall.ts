import type { Feedback, RecallOptions, RememberOptions } from "@cherry-ai/memory";
import { readJson } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { checkFields, judgedLater } from "../http/fields.ts";
import type { FieldCheck, Fields } from "../http/fields.ts";
import { readQuery } from "../http/query.ts";
import type { Route } from "../http/route.ts";
import { inSession, sessionParameter } from "../http/session.ts";
import { jsonBody, jsonResponse, ref } from "../openapi/schema.ts";
import { QUERY_BODY_BYTES_MAX } from "./search.ts";

/** The memory judges what these hold, with the field in each message. */
function fields(...names: readonly string[]): Fields {
  return new Map(names.map((name): [string, FieldCheck] => [name, judgedLater]));
}

const REMEMBER_FIELDS = fields(
  "id",
  "sessionId",
  "text",
  "speaker",
  "at",
  "metadata",
  "importance",
  "pinned",
  "validFrom",
  "supersedes",
  "ttlSeconds",
);
const RECALL_FIELDS = fields(
  "query",
  "sessionId",
  "limit",
  "asOf",
  "from",
  "to",
  "neighbours",
  "tokenBudget",
  "mode",
  "explain",
);
const FEEDBACK_FIELDS = fields("query", "relevant");

async function read(call: Call, known: Fields): Promise<unknown> {
  readQuery(call.target, []);
  return checkFields(await readJson(call, QUERY_BODY_BYTES_MAX), known);
}

async function remember(call: Call): Promise<void> {
  // Judged in full by the memory, types included.
  const options = (await read(call, REMEMBER_FIELDS)) as RememberOptions;
  call.json(200, await call.session.remember(options));
}

async function recall(call: Call): Promise<void> {
  const options = (await read(call, RECALL_FIELDS)) as RecallOptions;
  call.json(200, await call.session.recall(options));
}

async function feedback(call: Call): Promise<void> {
  const given = (await read(call, FEEDBACK_FIELDS)) as Feedback;
  call.json(200, await call.session.feedback(given));
}

export const recallRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/namespaces/{ns}/remember",
    access: "writer",
    handle: remember,
    operation: {
      operationId: "remember",
      summary: "Keep what was said or learnt",
      description:
        "The same id again is an update; without one, the same words by the same speaker in one session are one memory, counted.",
      tags: ["recall"],
      parameters: [sessionParameter],
      ...jsonBody("RememberRequest", {
        sessionId: "monday",
        speaker: "Ann",
        text: "I adopted a greyhound.",
        at: "2026-05-08T13:56:00Z",
      }),
      responses: {
        "200": inSession(jsonResponse("What was stored.", ref("RememberReceipt"))),
      },
    },
  },
  {
    method: "POST",
    path: "/v1/namespaces/{ns}/recall",
    access: "reader",
    handle: recall,
    operation: {
      operationId: "recall",
      summary: "Find the memories that answer a question, with a context for a prompt",
      tags: ["recall"],
      parameters: [sessionParameter],
      ...jsonBody("RecallRequest", { query: "Which pet did Ann adopt?", limit: 5 }),
      responses: {
        "200": inSession(jsonResponse("The memories, best first.", ref("RecallResponse"))),
      },
    },
  },
  {
    method: "POST",
    path: "/v1/namespaces/{ns}/feedback",
    access: "writer",
    handle: feedback,
    operation: {
      operationId: "feedback",
      summary: "Say which items answer a question",
      description: "What the ranking can be fitted to. The same question again replaces it.",
      tags: ["recall"],
      parameters: [sessionParameter],
      ...jsonBody("FeedbackRequest", { query: "Which pet did Ann adopt?", relevant: ["said-1"] }),
      responses: { "200": inSession(jsonResponse("What was stored.", ref("Receipt"))) },
    },
  },
];
