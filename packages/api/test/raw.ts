import { connect } from "node:net";
import type { TestServer } from "./server.ts";

/** The text of a request with these headers, and with a body the length of it. */
export function requestText(
  method: string,
  path: string,
  headers: { readonly [name: string]: string } = {},
  body = "",
): string {
  const length = body === "" ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  const lines = Object.entries({ Host: "localhost", ...length, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

/** Whatever listens on a port of this machine. */
export interface Listening {
  readonly server: Pick<TestServer["server"], "port">;
}

/**
 * Sends text as it is, which no HTTP client would, and resolves to the first answer: all of it where
 * it says how long it is, its head otherwise.
 */
export function raw(server: Listening, request: string): Promise<string> {
  const isHead = request.startsWith("HEAD ");
  return new Promise((resolve, reject) => {
    const socket = connect(server.server.port, "127.0.0.1", () => socket.write(request));
    let answer = "";
    socket.on("data", (data) => {
      answer += data.toString("latin1");
      if (isWhole(answer, isHead)) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

function isWhole(answer: string, isHead: boolean): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd === -1) return false;
  const length = /^content-length: (\d+)/im.exec(answer.slice(0, headEnd))?.[1];
  if (isHead || length === undefined) return true;
  return answer.length - headEnd - "\r\n\r\n".length >= Number(length);
}
