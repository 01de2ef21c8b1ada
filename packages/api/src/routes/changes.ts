import { once } from "node:events";
import type { Change, Memory } from "@cherry-ai/memory";
import { AnswerEnd } from "../http/answer-end.ts";
import type { Call } from "../http/call.ts";
import { invalid } from "../http/fields.ts";
import { HttpError } from "../http/http-error.ts";
import { queryFlag, readQuery } from "../http/query.ts";
import type { Route } from "../http/route.ts";
import { header, query, ref } from "../openapi/schema.ts";

const PAGE_CHANGES = 500;
const POSITION = /^\d{1,16}$/;

interface Follow {
  readonly after: string;
  readonly below: boolean;
}

type Page = Awaited<ReturnType<Memory["changes"]>>;

/** Where to begin: a reconnecting reader's own position wins over the one in its address. */
function startOf(call: Call): { readonly after: string | undefined; readonly below: boolean } {
  const parameters = readQuery(call.target, ["after", "below"]);
  const last = call.req.headers["last-event-id"];
  const given = typeof last === "string" && last !== "" ? last : parameters.get("after");
  if (given !== undefined && !POSITION.test(given))
    throw invalid(last === undefined ? "after" : "Last-Event-ID", "a position of an event", given);
  return { after: given, below: queryFlag(parameters, "below") ?? false };
}

async function streamChanges(call: Call): Promise<void> {
  const { state, bounds } = call.context;
  const { after: given, below } = startOf(call);
  if (state.streams >= bounds.streamsMax)
    throw new HttpError(
      "TOO_MANY_STREAMS",
      `the server has ${bounds.streamsMax} change streams open; try again later`,
    );
  state.streams += 1;
  try {
    const { memory } = call;
    const after = given ?? (await memory.changePosition());
    // The first page comes before the status: a position that is gone is still a 410.
    const page = await memory.changes({ after, below, limit: PAGE_CHANGES });
    call.open(200, ["Content-Type", "text/event-stream", "Cache-Control", "no-cache"]);
    if (call.req.method !== "HEAD") await follow(call, page, { after, below });
    call.res.end();
  } finally {
    state.streams -= 1;
  }
}

/** Writes pages until the reader leaves, its token expires or the server drains. */
async function follow(call: Call, first: Page, { after, below }: Follow): Promise<void> {
  const { memory } = call;
  const { clock, bounds, state } = call.context;
  const end = new AnswerEnd(call);
  const ended = AbortSignal.any([end.signal, state.drainSignal]);
  let position = after;
  let page = first;
  let spokenAtMs = clock.monotonicMs();
  try {
    // A reader that hears nothing cannot tell a quiet server from a dead one.
    await write(call, ": following\n\n", ended);
    while (!ended.aborted && !end.isOver) {
      if (page.changes.length > 0 || page.position !== position) {
        await write(call, eventText(page), ended);
        spokenAtMs = clock.monotonicMs();
      } else if (clock.monotonicMs() - spokenAtMs >= bounds.heartbeatMs) {
        await write(call, ": alive\n\n", ended);
        spokenAtMs = clock.monotonicMs();
      }
      position = page.position;
      if (page.changes.length < PAGE_CHANGES) await clock.sleep(bounds.streamPollMs, ended);
      page = await memory.changes({ after: position, below, limit: PAGE_CHANGES });
    }
  } catch (error) {
    if (ended.aborted) return;
    // The reader comes back with its last position and gets the error as a status.
    call.context.logger.warn({ err: error, requestId: call.requestId }, "a change stream broke");
  }
}

async function write(call: Call, text: string, ended: AbortSignal): Promise<void> {
  if (!call.res.write(text)) await once(call.res, "drain", { signal: ended });
}

/** Each event's id is where to go on from; a last one without data moves the reader past others' changes. */
function eventText(page: Page): string {
  const events = page.changes.map((change) => `id: ${change.id}\n${dataText(change)}\n\n`);
  return `${events.join("")}id: ${page.position}\n\n`;
}

/** A clear says how far it went: a reader who holds copies has to know which of them are gone. */
function dataText({ namespace, key, version, op, below, atMs }: Change): string {
  const at = new Date(atMs).toISOString();
  const reach = op === "clear" ? { below: below ?? false } : {};
  return `data: ${JSON.stringify({ namespace, key, version: String(version), op, ...reach, at })}`;
}

export const changeRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/namespaces/{ns}/changes",
    access: "reader",
    handle: streamChanges,
    operation: {
      operationId: "streamChanges",
      summary: "Changes as they are committed (server-sent events)",
      description:
        "At least once, in order per key. Without after or Last-Event-ID from now on; after=0 from the start of the log. Ends when the token expires; go on from the last position with another.",
      tags: ["changes"],
      parameters: [
        query("after", "Position to go on from: the id of the last event.", { type: "string" }),
        query("below", "Also all namespaces below.", { type: "boolean" }),
        header("Last-Event-ID", "As after; wins over it."),
      ],
      responses: {
        "200": {
          description: "Events.",
          content: { "text/event-stream": { schema: ref("Change") } },
        },
        "410": { $ref: "#/components/responses/Problem" },
      },
    },
  },
];
