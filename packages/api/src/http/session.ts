import type { IncomingMessage } from "node:http";
import { MemoryError, isMemoryError } from "@cherry-ai/memory";
import type { MemoryManager, SessionMemory } from "@cherry-ai/memory";
import { header } from "../openapi/schema.ts";
import type { ParameterObject, SchemaObject } from "../openapi/schema.ts";

const HEADER = "x-cherry-session";
const HEADER_SHOWN = "X-Cherry-Session";

/** What every route that reads or writes items takes. */
export const sessionParameter: ParameterObject = header(
  HEADER_SHOWN,
  "As an earlier answer gave it: this one shows nothing older, whichever server gives it.",
  { type: "string", maxLength: 1024 },
);

/** What such a route gives. */
export const sessionHeader: SchemaObject = {
  [HEADER_SHOWN]: {
    description: "What this session has seen so far: send it with the next request.",
    schema: { type: "string", maxLength: 1024 },
  },
};

/** A response with the token of the session. */
export function inSession<R extends object>(response: R): R & { readonly headers: SchemaObject } {
  return { ...response, headers: sessionHeader };
}

/** Whether the request goes on with a session. */
export function hasSession(req: IncomingMessage): boolean {
  return req.headers[HEADER] !== undefined;
}

/** The session of the request's token, or a new one. */
export function openSession(memory: MemoryManager, req: IncomingMessage): SessionMemory {
  const token = req.headers[HEADER];
  try {
    // node joins a header that was sent twice, and so it is no token.
    return memory.session(typeof token === "string" ? token : undefined);
  } catch (cause) {
    if (!isMemoryError(cause) || cause.code !== "INVALID_SESSION") throw cause;
    const message = cause.message.replace(/^session/u, HEADER_SHOWN);
    throw new MemoryError("INVALID_SESSION", message, { field: HEADER_SHOWN, cause });
  }
}
