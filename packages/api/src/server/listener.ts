import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { PROBLEM_STATUS } from "@cherry-ai/client/contract";
import type { ProblemCode } from "@cherry-ai/client/contract";

const KIB = 1024;

/** A key of 1,024 bytes, each percent-encoded in three, a namespace likewise, and a long token. */
const HEADER_BYTES_MAX = 32 * KIB;
const HEADERS_TIMEOUT_MS = 20_000;
/** For the whole request, a long import included. */
const REQUEST_TIMEOUT_MS = 3_600_000;
/** Without a byte in either direction. Above the heartbeat of streams. */
const IDLE_TIMEOUT_MS = 120_000;
/** Above the 60 s after which common balancers drop a quiet connection: they must be first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const CONNECTIONS_MAX = 10_000;

/** An HTTP server with bounds on what a connection may cost. */
export function createListener(
  handle: (req: IncomingMessage, res: ServerResponse) => void,
): Server {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    handle,
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.timeout = IDLE_TIMEOUT_MS;
  server.on("clientError", answerBrokenRequest);
  return server;
}

/** What is not HTTP, or too much of it, never reaches the application. */
function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = codeOf(error.code);
  const status = PROBLEM_STATUS[code];
  const body = JSON.stringify({
    type: `urn:cherry-memory:problem:${code.toLowerCase().replaceAll("_", "-")}`,
    title: code,
    status,
    detail: DETAILS[code],
    code,
    retryable: code === "REQUEST_TIMEOUT",
    requestId: "none",
  });
  socket.end(
    `HTTP/1.1 ${status} ${code}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

type BrokenCode = Extract<
  ProblemCode,
  "HEADERS_TOO_LARGE" | "REQUEST_TIMEOUT" | "INVALID_ARGUMENT"
>;

const DETAILS: { readonly [code in BrokenCode]: string } = {
  HEADERS_TOO_LARGE: `expected a request line and headers of at most ${HEADER_BYTES_MAX} bytes`,
  REQUEST_TIMEOUT: "the request did not arrive in time",
  INVALID_ARGUMENT: "expected an HTTP request",
};

function codeOf(code: string | undefined): BrokenCode {
  if (code === "HPE_HEADER_OVERFLOW") return "HEADERS_TOO_LARGE";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "REQUEST_TIMEOUT";
  return "INVALID_ARGUMENT";
}
