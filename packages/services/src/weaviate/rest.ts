import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";

const ANSWER_TIMEOUT_MS = 30_000;

/** Where a server is and how it is spoken to. */
export interface RestTarget {
  readonly url: string;
  readonly apiKey: string | undefined;
  /** The authority of a server that speaks TLS. */
  readonly ca: string | undefined;
}

export interface RestAnswer {
  readonly status: number;
  /** Parsed JSON; undefined where there was none. */
  readonly body: unknown;
}

/** Sends one request over a connection of its own. */
export function sendRequest(
  target: RestTarget,
  method: string,
  path: string,
  body?: unknown,
): Promise<RestAnswer> {
  const request = target.ca === undefined ? plainRequest : tlsRequest;
  const options = {
    method,
    agent: false,
    timeout: ANSWER_TIMEOUT_MS,
    ...(target.ca === undefined ? {} : { ca: target.ca }),
    headers: {
      "content-type": "application/json",
      ...(target.apiKey === undefined ? {} : { authorization: `Bearer ${target.apiKey}` }),
    },
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, target.url), options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const json = (answer.headers["content-type"] ?? "").includes("json") && text !== "";
        resolve({ status: answer.statusCode ?? 0, body: json ? JSON.parse(text) : undefined });
      });
    });
    sent.on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer`)));
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
