import { joinPath, keySegment, namespacePath } from "./address.ts";
import { CherryError } from "./cherry-error.ts";
import type {
  BatchOperation,
  BatchResponse,
  BatchResult,
  ChangeEvent,
  Consistency,
  DeleteReceipt,
  Explanation,
  ExportLine,
  FeedbackRequest,
  ForgetReceipt,
  ForgetRequest,
  Health,
  ImportReceipt,
  Item,
  ItemAttributes,
  Job,
  JsonValue,
  OptimizeReport,
  RecallRequest,
  RecallResponse,
  Receipt,
  RememberReceipt,
  RememberRequest,
  SearchRequest,
  SearchResponse,
  Stats,
} from "./contract.ts";
import { addReceipts, changeEvents, exportLines, importBodies } from "./streams.ts";
import { Transport } from "./transport.ts";
import type { TransportOptions } from "./transport.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends CallOptions {
  readonly consistency?: Consistency;
  readonly maxStalenessMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** Only if the item has this version; "*" = only if there is one. */
  readonly ifVersion?: string;
  /** Makes the call safe to repeat: the same key gives the first receipt again. */
  readonly idempotencyKey?: string;
}

export interface PutOptions extends ItemAttributes, Omit<WriteOptions, "ifVersion"> {
  /** As in WriteOptions; null = only if there is no item. */
  readonly ifVersion?: string | null;
}

export interface CherryClientOptions extends TransportOptions {
  /** Where this client acts; default the root. */
  readonly namespace?: string | readonly string[];
}

/** A Cherry Memory server, seen from one namespace. Failed calls throw a CherryError. */
export class CherryClient {
  /** Segments joined by "/", "" for the root. */
  readonly path: string;
  readonly #transport: Transport;
  readonly #base: string;

  constructor(options: CherryClientOptions, transport?: Transport) {
    this.#transport = transport ?? new Transport(options);
    this.path = joinPath("", options.namespace ?? "");
    this.#base = namespacePath(this.path);
  }

  /** The same server, in the namespace `path` below this one. */
  namespace(path: string | readonly string[]): CherryClient {
    return new CherryClient({ baseUrl: "", namespace: joinPath(this.path, path) }, this.#transport);
  }

  /**
   * The same namespace for one session: what it has seen or written it never sees older, whichever
   * server answers. Goes on with the session of a token, or begins one. Of calls that overlap only the
   * last answered is sure to be remembered.
   */
  session(token?: string): CherryClient {
    const options = { baseUrl: "", namespace: this.path };
    return new CherryClient(options, this.#transport.inSession(token));
  }

  /** What the session has seen so far; undefined outside of a session, and before its first answer. */
  get sessionToken(): string | undefined {
    return this.#transport.session?.token;
  }

  /** The value, or undefined when there surely is none. */
  async get<T = JsonValue>(key: string, options: ReadOptions = {}): Promise<T | undefined> {
    return (await this.getItem<T>(key, options))?.value;
  }

  async getItem<T = JsonValue>(
    key: string,
    options: ReadOptions = {},
  ): Promise<Item<T> | undefined> {
    const { signal, consistency, maxStalenessMs } = options;
    try {
      return await this.#transport.json<Item<T>>({
        method: "GET",
        path: this.#item(key),
        query: { consistency, maxStalenessMs },
        signal,
      });
    } catch (error) {
      if (error instanceof CherryError && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** Replaces the whole item. */
  put(key: string, value: unknown, options: PutOptions = {}): Promise<Receipt> {
    const { signal, ifVersion, idempotencyKey, ...attributes } = options;
    return this.#transport.json<Receipt>({
      method: "PUT",
      path: this.#item(key),
      headers: writeHeaders(ifVersion, idempotencyKey),
      body: JSON.stringify({ value, ...attributes }),
      signal,
    });
  }

  /** Merges into the value (RFC 7396); the item must exist. */
  patch(key: string, patch: unknown, options: WriteOptions = {}): Promise<Receipt> {
    return this.#transport.json<Receipt>({
      method: "PATCH",
      path: this.#item(key),
      headers: writeHeaders(options.ifVersion, options.idempotencyKey),
      body: JSON.stringify(patch),
      contentType: "application/merge-patch+json",
      signal: options.signal,
    });
  }

  delete(key: string, options: WriteOptions = {}): Promise<DeleteReceipt> {
    return this.#transport.json<DeleteReceipt>({
      method: "DELETE",
      path: this.#item(key),
      headers: writeHeaders(options.ifVersion, options.idempotencyKey),
      signal: options.signal,
    });
  }

  /** Results in the order of the operations; one that fails says so in its result. */
  async batch(
    operations: readonly BatchOperation[],
    options: CallOptions & {
      readonly atomic?: boolean;
      readonly idempotencyKey?: string;
      readonly consistency?: Consistency;
    } = {},
  ): Promise<readonly BatchResult[]> {
    const { signal, idempotencyKey, atomic, consistency } = options;
    const { results } = await this.#transport.json<BatchResponse>({
      method: "POST",
      path: `${this.#base}/batch`,
      query: { consistency },
      headers: writeHeaders(undefined, idempotencyKey),
      body: JSON.stringify({ operations, ...(atomic === undefined ? {} : { atomic }) }),
      signal,
    });
    return results;
  }

  search(request: SearchRequest, options: CallOptions = {}): Promise<SearchResponse> {
    return this.#post("search", request, options);
  }

  /** Every item that a search finds, page after page. */
  async *searchAll(request: SearchRequest, options: CallOptions = {}): AsyncGenerator<Item> {
    let cursor = request.cursor;
    do {
      const page = await this.search(
        { ...request, ...(cursor === undefined ? {} : { cursor }) },
        options,
      );
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  /** Keeps what was said or learnt; the same again is counted. */
  remember(request: RememberRequest, options: CallOptions = {}): Promise<RememberReceipt> {
    return this.#post("remember", request, options);
  }

  /** The memories that answer a question, and a context for a prompt. */
  recall(request: RecallRequest, options: CallOptions = {}): Promise<RecallResponse> {
    return this.#post("recall", request, options);
  }

  /** Says which items answer a question. */
  feedback(request: FeedbackRequest, options: CallOptions = {}): Promise<Receipt> {
    return this.#post("feedback", request, options);
  }

  /** With `job` in the receipt the rest goes on in the background: see `job`. */
  forget(request: ForgetRequest, options: CallOptions = {}): Promise<ForgetReceipt> {
    return this.#post("forget", request, options);
  }

  job(id: string, options: CallOptions = {}): Promise<Job> {
    return this.#get(`${this.#base}/jobs/${encodeURIComponent(id)}`, options);
  }

  /** Every item in key order. */
  async *export(
    options: CallOptions & { readonly below?: boolean; readonly after?: string } = {},
  ): AsyncGenerator<ExportLine> {
    const { signal, below, after } = options;
    const path = `${this.#base}/export`;
    yield* exportLines(
      await this.#transport.send({ method: "GET", path, query: { below, after }, signal }),
    );
  }

  /** Sends lines, objects or text, in requests of at most 1,000; each is committed as a whole. */
  async import(
    lines: AsyncIterable<ExportLine | string> | Iterable<ExportLine | string>,
    options: CallOptions = {},
  ): Promise<ImportReceipt> {
    let total: ImportReceipt = { imported: 0, lines: 0, failed: [] };
    for await (const body of importBodies(lines)) {
      const receipt = await this.#transport.json<ImportReceipt>({
        method: "POST",
        path: `${this.#base}/import`,
        contentType: "application/x-ndjson",
        body,
        signal: options.signal,
      });
      total = addReceipts(total, receipt);
    }
    return total;
  }

  /** Changes as they happen, until `signal` aborts or the server ends the stream. */
  async *changes(
    options: CallOptions & { readonly after?: string; readonly below?: boolean } = {},
  ): AsyncGenerator<ChangeEvent> {
    const { signal, after, below } = options;
    const path = `${this.#base}/changes`;
    yield* changeEvents(
      await this.#transport.send({ method: "GET", path, query: { after, below }, signal }),
    );
  }

  explain(key: string, options: CallOptions = {}): Promise<Explanation> {
    return this.#get(`${this.#base}/explain/${keySegment(key)}`, options);
  }

  stats(options: CallOptions = {}): Promise<Stats> {
    return this.#get("/v1/stats", options);
  }

  optimize(options: CallOptions = {}): Promise<OptimizeReport> {
    return this.#transport.json({ method: "POST", path: "/v1/optimize", signal: options.signal });
  }

  /** Throws while the server starts or drains. */
  ready(options: CallOptions = {}): Promise<Health> {
    return this.#get("/readyz", options);
  }

  #item(key: string): string {
    return `${this.#base}/items/${keySegment(key)}`;
  }

  #get<T>(path: string, { signal }: CallOptions): Promise<T> {
    return this.#transport.json<T>({ method: "GET", path, signal });
  }

  #post<T>(name: string, body: object, { signal }: CallOptions): Promise<T> {
    const path = `${this.#base}/${name}`;
    return this.#transport.json<T>({ method: "POST", path, body: JSON.stringify(body), signal });
  }
}

/** Conditions and repeatability as HTTP headers. */
function writeHeaders(
  ifVersion: string | null | undefined,
  idempotencyKey: string | undefined,
): { readonly [name: string]: string | undefined } {
  const quoted = ifVersion === "*" ? "*" : `"${ifVersion}"`;
  return {
    "if-match": typeof ifVersion === "string" ? quoted : undefined,
    "if-none-match": ifVersion === null ? "*" : undefined,
    "idempotency-key": idempotencyKey,
  };
}
