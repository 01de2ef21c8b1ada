import { CherryError, responseError } from "./cherry-error.ts";

/** A token, or where to get one: asked before each request, so that it can be renewed. */
export type TokenSource = string | (() => string | Promise<string>);

export interface TransportOptions {
  /** Such as `http://127.0.0.1:8787`. */
  readonly baseUrl: string;
  readonly token?: TokenSource;
  /** Another `fetch`, for tests and special networks. */
  readonly fetch?: typeof fetch;
}

/** Where the token of a session lies between two requests. */
export interface SessionTokens {
  token: string | undefined;
}

const SESSION_HEADER = "x-cherry-session";

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: { readonly [name: string]: string | number | boolean | undefined };
  readonly headers?: { readonly [name: string]: string | undefined };
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests; turns what is no success into a CherryError. */
export class Transport {
  /** Undefined: each request is for itself. */
  readonly session: SessionTokens | undefined;
  readonly #options: TransportOptions;
  readonly #base: string;
  readonly #token: TokenSource | undefined;
  readonly #fetch: typeof fetch;

  constructor(options: TransportOptions, session?: SessionTokens) {
    this.session = session;
    this.#options = options;
    this.#base = options.baseUrl.replace(/\/+$/, "");
    this.#token = options.token;
    // Browsers refuse a fetch that is called as a method of something else.
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** The same server for one session. */
  inSession(token: string | undefined): Transport {
    return new Transport(this.#options, { token });
  }

  /** A successful response; its body is still unread. */
  async send(request: HttpRequest): Promise<Response> {
    const { method, body, signal } = request;
    const headers = await this.#headers(request);
    let response: Response;
    try {
      response = await this.#fetch(`${this.#base}${request.path}${queryText(request.query)}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      // The caller's own abort stays what it is.
      if (signal?.aborted === true) throw cause;
      throw new CherryError("NETWORK", `${method} ${this.#base}: no answer`, {
        retryable: true,
        cause,
      });
    }
    // Also of a refusal: it may have told what is there.
    if (this.session !== undefined)
      this.session.token = response.headers.get(SESSION_HEADER) ?? this.session.token;
    if (response.ok) return response;
    throw await responseError(response);
  }

  async json<T>(request: HttpRequest): Promise<T> {
    const response = await this.send(request);
    try {
      // The server is the other half of this contract: what it answers is not checked again.
      return (await response.json()) as T;
    } catch (cause) {
      if (request.signal?.aborted === true) throw cause;
      throw new CherryError("UNEXPECTED_RESPONSE", "expected JSON", {
        status: response.status,
        retryable: true,
        cause,
      });
    }
  }

  async #headers(request: HttpRequest): Promise<Headers> {
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers ?? {}))
      if (value !== undefined) headers.set(name, value);
    if (request.body !== undefined)
      headers.set("content-type", request.contentType ?? "application/json");
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    if (this.session?.token !== undefined) headers.set(SESSION_HEADER, this.session.token);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    return headers;
  }
}

function queryText(query: HttpRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
