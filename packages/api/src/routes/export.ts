import { once } from "node:events";
import { checkKey } from "@cherry-ai/memory";
import type { ExportLine } from "@cherry-ai/memory";
import { AnswerEnd } from "../http/answer-end.ts";
import type { Call } from "../http/call.ts";
import { queryFlag, readQuery } from "../http/query.ts";
import type { Route } from "../http/route.ts";
import { query, ref } from "../openapi/schema.ts";

/** Written at once: fewer, larger pieces. */
const PIECE_CHARACTERS = 64 * 1024;

async function exportItems(call: Call): Promise<void> {
  const parameters = readQuery(call.target, ["below", "after"]);
  const below = queryFlag(parameters, "below");
  const after = parameters.get("after");
  if (after !== undefined) checkKey(after, call.context.limits);
  const lines = call.memory.exportItems({
    ...(below === undefined ? {} : { below }),
    ...(after === undefined ? {} : { after }),
  });
  const iterator = lines[Symbol.asyncIterator]();
  // The first line is fetched before the status is sent: a store that is away is still a 503.
  const first = await iterator.next();
  call.open(200, ["Content-Type", "application/x-ndjson"]);
  if (call.req.method === "HEAD") {
    await iterator.return?.();
    call.res.end();
    return;
  }
  await writeLines(call, first, iterator);
}

async function writeLines(
  call: Call,
  first: IteratorResult<ExportLine>,
  iterator: AsyncIterator<ExportLine>,
): Promise<void> {
  const { res } = call;
  const end = new AnswerEnd(call);
  let piece = "";
  try {
    for (let next = first; next.done !== true; next = await iterator.next()) {
      piece += `${JSON.stringify(next.value)}\n`;
      if (piece.length < PIECE_CHARACTERS) continue;
      if (end.isOver) break;
      if (!res.write(piece)) await once(res, "drain", { signal: end.signal });
      piece = "";
    }
    // An answer that was begun cannot become an error: cut it, so that nobody takes it for whole.
    if (end.isOver) res.destroy();
    else res.end(piece);
  } catch (error) {
    res.destroy();
    if (!end.isOver) throw error;
  } finally {
    await iterator.return?.();
  }
}

export const exportRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/namespaces/{ns}/export",
    access: "reader",
    handle: exportItems,
    operation: {
      operationId: "exportItems",
      summary: "Every item, one a line, in key order",
      description:
        "An answer that breaks off, as when the token expires, is not whole; go on with after=LAST KEY.",
      tags: ["transfer"],
      parameters: [
        query("below", "Also all namespaces below.", { type: "boolean" }),
        query("after", "Go on after this key.", { type: "string" }),
      ],
      responses: {
        "200": {
          description: "Lines.",
          content: { "application/x-ndjson": { schema: ref("ExportLine") } },
        },
      },
    },
  },
];
