import type { IncomingMessage, ServerResponse } from "node:http";
import { MemoryError, checkKey } from "@cherry-ai/memory";
import type { Memory, SessionMemory } from "@cherry-ai/memory";
import { openSession } from "./session.ts";
import type { ApiContext } from "./context.ts";
import type { Route } from "./route.ts";

/** Path parameters as express decoded them. */
export type PathParameters = { readonly [name: string]: string | readonly string[] | undefined };

/**
 * Bytes of a body: a buffer, or a string with a character a byte (latin1). node writes headers and
 * such a string in one piece, but headers and a buffer in two, which costs a third of a short answer.
 */
export type ByteText = string | Buffer;

/** One request on its way through the server. */
export class Call {
  readonly context: ApiContext;
  readonly route: Route;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly parameters: PathParameters;
  readonly requestId: string;
  /** Canonical; set before a namespaced route is handled. */
  namespace = "";
  /** Wall time at which the caller's token ends; Infinity where no token is needed. */
  expiresAtMs: number = Number.POSITIVE_INFINITY;
  /** What the answer gives as session token, where no session was opened for it. */
  sessionToken: string | undefined;
  #session: SessionMemory | undefined;

  constructor(
    context: ApiContext,
    route: Route,
    exchange: {
      readonly req: IncomingMessage & { readonly params: PathParameters };
      readonly res: ServerResponse;
      readonly requestId: string;
    },
  ) {
    this.context = context;
    this.route = route;
    this.req = exchange.req;
    this.res = exchange.res;
    this.parameters = exchange.req.params;
    this.requestId = exchange.requestId;
  }

  /** The memory of the namespace in the path. */
  get memory(): Memory {
    const { memory } = this.context;
    return this.namespace === "" ? memory : memory.namespace(this.namespace);
  }

  /** The same for the session that the request goes on with or begins: its answer gives the token. */
  get session(): SessionMemory {
    this.#session ??= openSession(this.context.memory, this.req).namespace(
      this.namespace === "" ? [] : this.namespace,
    );
    return this.#session;
  }

  /** The key in the path, checked. */
  get key(): string {
    return checkKey(this.parameter("key"), this.context.limits);
  }

  parameter(name: string): string {
    const value = this.parameters[name];
    if (typeof value === "string") return value;
    throw new MemoryError("INTERNAL", `the route has no parameter ${name}`);
  }

  /** Request target as it was sent: path and query. */
  get target(): string {
    return this.req.url ?? "/";
  }

  /** Answers with text. `headers` is a flat list of names and values; it is added to. */
  send(status: number, headers: string[], body: string): void {
    headers.push("Content-Length", String(Buffer.byteLength(body)));
    this.open(status, headers);
    this.res.end(body);
  }

  /** The same with bytes. */
  sendBytes(status: number, headers: string[], body: ByteText): void {
    headers.push("Content-Length", String(body.length));
    this.open(status, headers);
    if (typeof body === "string") this.res.end(body, "latin1");
    else this.res.end(body);
  }

  /** Answers with a value as JSON. */
  json(status: number, value: unknown, headers: string[] = []): void {
    headers.push("Content-Type", "application/json");
    this.send(status, headers, JSON.stringify(value));
  }

  /** Starts an answer whose body follows in pieces. */
  open(status: number, headers: string[]): void {
    headers.push("X-Request-Id", this.requestId);
    const token = this.sessionToken ?? this.#session?.token;
    if (token !== undefined) headers.push("X-Cherry-Session", token);
    if (this.context.state.draining) headers.push("Connection", "close");
    this.res.writeHead(status, headers);
  }
}
