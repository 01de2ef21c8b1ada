import { Buffer } from "node:buffer";
import type { Clock } from "../../../model/clock.ts";
import { MemoryError } from "../../../model/errors.ts";

export interface Exchange {
  readonly url: URL;
  readonly body: string;
  readonly apiKey: string | undefined;
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
}

/**
 * One HTTP request and its whole answer, within a time and a size. Rejects with
 * EMBEDDING_UNAVAILABLE, or with the signal's reason. Nothing of the key, the request or the answer
 * gets into an error: they hold a secret and what users wrote.
 */
export async function exchange(request: Exchange): Promise<Answered> {
  const { url, apiKey, body, clock, timeoutMs, signal } = request;
  const done = new AbortController();
  const timedOut = new AbortController();
  clock.sleep(timeoutMs, done.signal).then(
    () => timedOut.abort(),
    () => {},
  );
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body,
      // Whoever we are sent on to must not get the key.
      redirect: "error",
      signal: AbortSignal.any([signal, timedOut.signal]),
    });
    return {
      status: response.status,
      body: await readAll(response, request.answerBytesMax),
      retryAfter: response.headers.get("retry-after"),
    };
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof MemoryError) throw cause;
    const what = timedOut.signal.aborted ? `did not answer within ${timeoutMs} ms` : faultOf(cause);
    throw new MemoryError("EMBEDDING_UNAVAILABLE", `the embedding endpoint ${url.origin} ${what}`);
  } finally {
    done.abort();
  }
}

async function readAll(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax)
      throw new MemoryError(
        "EMBEDDING_INVALID",
        `the embedding endpoint answered with more than ${bytesMax} bytes, which no such vectors need`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The code of what failed below, such as ECONNREFUSED; a message might quote what was sent. */
function faultOf(error: unknown): string {
  const below = error instanceof Error ? (error.cause ?? error) : error;
  const code =
    typeof below === "object" && below !== null && "code" in below ? below.code : undefined;
  return typeof code === "string" ? `could not be asked (${code})` : "could not be asked";
}
