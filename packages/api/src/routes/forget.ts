import { MemoryError } from "@cherry-ai/memory";
import type { ForgetOptions, Job } from "@cherry-ai/memory";
import { readJson } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { checkFields, flag, judgedLater, list } from "../http/fields.ts";
import type { FieldCheck, Fields } from "../http/fields.ts";
import { readQuery } from "../http/query.ts";
import type { Route } from "../http/route.ts";
import { inSession, sessionParameter } from "../http/session.ts";
import { jsonBody, jsonResponse, ref } from "../openapi/schema.ts";
import { QUERY_BODY_BYTES_MAX, filterObject } from "./search.ts";

const FORGET_FIELDS: Fields = new Map<string, FieldCheck>([
  ["keys", list],
  ["pattern", judgedLater],
  ["metadataFilter", filterObject],
  ["tags", judgedLater],
  ["below", flag],
  ["dryRun", flag],
]);

async function forget(call: Call): Promise<void> {
  readQuery(call.target, []);
  const fields = checkFields(await readJson(call, QUERY_BODY_BYTES_MAX), FORGET_FIELDS);
  const { forgetItemsMax } = call.context.bounds;
  // checkFields has refused other names and types; the memory judges what is left unjudged.
  const options = { ...fields, jobAbove: forgetItemsMax } as ForgetOptions;
  const receipt = await call.session.forget(options);
  if (receipt.job === undefined) {
    call.json(200, receipt);
    return;
  }
  const segment = encodeURIComponent(call.parameter("ns"));
  const location = `/v1/namespaces/${segment}/jobs/${encodeURIComponent(receipt.job)}`;
  call.json(202, receipt, ["Location", location]);
}

async function getJob(call: Call): Promise<void> {
  readQuery(call.target, []);
  const id = call.parameter("id");
  const job = await call.memory.forgetJob(id);
  // Another namespace's job is none of this caller's business.
  if (job === undefined || job.namespace !== call.namespace)
    throw new MemoryError("NOT_FOUND", "the job does not exist in this namespace", { field: "id" });
  call.json(200, jobDocument(job));
}

function jobDocument(job: Job): object {
  return {
    id: job.id,
    namespace: job.namespace,
    kind: job.kind,
    state: job.state,
    forgotten: job.forgotten,
    createdAt: new Date(job.createdAtMs).toISOString(),
    updatedAt: new Date(job.updatedAtMs).toISOString(),
    ...(job.error === undefined ? {} : { error: job.error }),
  };
}

export const forgetRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/namespaces/{ns}/forget",
    access: "writer",
    handle: forget,
    operation: {
      operationId: "forget",
      summary: "Forget what a selection finds",
      description: "A selection of more than 10,000 items goes on as a job: 202 and its Location.",
      tags: ["search"],
      parameters: [sessionParameter],
      ...jsonBody("ForgetRequest", { pattern: "session:*", dryRun: true }),
      responses: {
        "200": inSession(jsonResponse("What was forgotten.", ref("ForgetReceipt"))),
        "202": inSession(jsonResponse("A job goes on with it.", ref("ForgetReceipt"))),
      },
    },
  },
  {
    method: "GET",
    path: "/v1/namespaces/{ns}/jobs/{id}",
    access: "writer",
    handle: getJob,
    operation: {
      operationId: "getJob",
      summary: "How far a job is",
      tags: ["search"],
      responses: { "200": jsonResponse("The job.", ref("Job")) },
    },
  },
];
