import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Clock, Limits } from "@cherry-ai/memory";
import type { Call } from "./call.ts";
import { HttpError } from "./http-error.ts";

const KIB = 1024;
/** Names, options and white space around a value. */
const ENVELOPE_BYTES = 64 * KIB;
/** JSON text may spell a character of two bytes in six, as `\u00e9`. */
const ESCAPED_FACTOR = 3;
/** From the headers to the end of a JSON body: whoever sends more slowly only holds the connection. */
const BODY_TIMEOUT_MS = 60_000;
/** A refused body is read to its end, so that its sender sees the answer; a longer one is cut. */
const DISCARDED_BYTES_MAX = 256 * KIB * KIB;

const JSON_TYPES: readonly string[] = ["application/json"];
export const PATCH_TYPES: readonly string[] = ["application/merge-patch+json", "application/json"];

/** The largest body that can hold one item. */
export function itemBodyBytesMax(limits: Limits): number {
  return ESCAPED_FACTOR * (limits.valueBytes + limits.metadataBytes) + ENVELOPE_BYTES;
}

/** Refuses a body of another type, charset or encoding before it is read. */
export function checkContentType(req: IncomingMessage, types: readonly string[]): void {
  const header = req.headers["content-type"];
  if (header !== undefined && types.includes(header) && !req.headers["content-encoding"]) return;
  const [type = "", ...parameters] = (header ?? "").toLowerCase().split(";");
  const expected = types.join(" or ");
  if (!types.includes(type.trim()))
    throw new HttpError(
      "UNSUPPORTED_MEDIA_TYPE",
      `Content-Type: expected ${expected}, got ${header === undefined ? "none" : JSON.stringify(header.slice(0, 100))}`,
      { field: "Content-Type" },
    );
  for (const parameter of parameters) {
    const [name = "", value = ""] = parameter.trim().split("=");
    if (name.trim() !== "charset") continue;
    if (!["utf-8", "utf8"].includes(value.trim().replaceAll('"', "")))
      throw new HttpError(
        "UNSUPPORTED_MEDIA_TYPE",
        `Content-Type: expected charset=utf-8, got ${value.slice(0, 100)}`,
        { field: "Content-Type" },
      );
  }
  const encoding = req.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    throw new HttpError(
      "UNSUPPORTED_MEDIA_TYPE",
      `Content-Encoding: expected none, got ${JSON.stringify(encoding.slice(0, 100))}`,
      { field: "Content-Encoding" },
    );
}

/** The body as a JSON value. Nothing of it is used unless all of it came. */
export async function readJson(
  call: Call,
  bytesMax: number,
  types: readonly string[] = JSON_TYPES,
): Promise<unknown> {
  checkContentType(call.req, types);
  const bytes = await readBody(call.req, bytesMax, call.context.clock);
  if (!isUtf8(bytes))
    throw new HttpError("INVALID_JSON", "body: expected UTF-8; it has bytes that are none", {
      field: "body",
    });
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : "not JSON";
    throw new HttpError("INVALID_JSON", `body: expected JSON; ${reason.slice(0, 200)}`, {
      field: "body",
    });
  }
}

function readBody(req: IncomingMessage, bytesMax: number, clock: Clock): Promise<Buffer> {
  const declared = Number(req.headers["content-length"] ?? 0);
  if (declared > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const stop = new AbortController();
    // Most bodies are there already; only those that are not get a timer.
    const watch = setImmediate(() => {
      clock.sleep(BODY_TIMEOUT_MS, stop.signal).then(
        () => {
          finish();
          reject(tooSlow());
        },
        () => {},
      );
    });
    const finish = (): void => {
      clearImmediate(watch);
      stop.abort();
      req.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= bytesMax) return;
      finish();
      reject(tooLarge(bytesMax));
    };
    const onEnd = (): void => {
      finish();
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length));
    };
    const onClose = (): void => {
      finish();
      reject(new ClientGone());
    };
    req.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}

/** The caller left before its request was complete: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/** Lets the rest of an unwanted body run dry, within bounds. */
export function discardBody(req: IncomingMessage): void {
  if (req.complete && req.readableLength === 0) return;
  let length = 0;
  req.on("error", () => {});
  req.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > DISCARDED_BYTES_MAX) req.destroy();
  });
  req.resume();
}

function tooSlow(): HttpError {
  return new HttpError(
    "REQUEST_TIMEOUT",
    `body: expected all of it within ${BODY_TIMEOUT_MS / 1000} seconds`,
    { headers: ["Connection", "close"] },
  );
}

function tooLarge(bytesMax: number): HttpError {
  return new HttpError(
    "BODY_TOO_LARGE",
    `body: expected at most ${bytesMax} bytes; send it in parts`,
    { field: "body" },
  );
}
