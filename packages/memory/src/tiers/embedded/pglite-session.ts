import type { PGlite } from "@electric-sql/pglite";
import { encodeValues } from "../postgres/pg-values.ts";
import { StatementNames } from "../postgres/pg-statements.ts";
import { executeMessage, prepareMessage, readReply, scriptMessage } from "./pglite-wire.ts";
import type { Row, SqlValue, Statement } from "../postgres/database.ts";
import type { Column, Reply } from "./pglite-wire.ts";

/** The engine broke off in the middle of a message and cannot be used any more. */
export class EngineFailure extends Error {
  constructor(cause?: unknown) {
    super("the embedded database engine broke off", { cause });
  }
}

const NO_COLUMNS: readonly Column[] = [];

/** The one session of an embedded engine. Statements run to their end before a call resolves. */
export class PgliteSession {
  readonly #engine: PGlite;
  readonly #names = new StatementNames();
  readonly #prepared = new Map<string, readonly Column[]>();

  constructor(engine: PGlite) {
    this.#engine = engine;
  }

  /** Rejects with the server's error, or with EngineFailure. */
  async run(statement: Statement, values: readonly SqlValue[] = []): Promise<readonly Row[]> {
    const name = this.#names.nameOf(statement) ?? "";
    const columns = this.#prepared.get(name) ?? (await this.#prepare(name, statement.text));
    const reply = await this.#exchange(
      executeMessage(name, encodeValues(values), columns),
      columns,
    );
    return reply.rows;
  }

  /** Statements without values; the tag of the last. */
  async script(text: string): Promise<string> {
    try {
      return (await this.#exchange(scriptMessage(text))).tag;
    } finally {
      // It may have changed what prepared statements return.
      this.#names.renew();
      this.#prepared.clear();
    }
  }

  /** BEGIN, COMMIT and the like: nothing that prepared statements depend on. */
  async control(text: string): Promise<string> {
    return (await this.#exchange(scriptMessage(text))).tag;
  }

  async #prepare(name: string, text: string): Promise<readonly Column[]> {
    const { columns } = await this.#exchange(prepareMessage(name, text));
    const known = columns ?? NO_COLUMNS;
    if (name !== "") this.#prepared.set(name, known);
    return known;
  }

  async #exchange(message: Buffer, columns?: readonly Column[]): Promise<Reply> {
    const chunks: Uint8Array[] = [];
    try {
      await this.#engine.execProtocolRawStream(message, {
        syncToFs: false,
        // A view of the engine's memory, which the next call overwrites.
        onRawData: (data) => void chunks.push(data.slice()),
      });
    } catch (cause) {
      throw new EngineFailure(cause);
    }
    const reply = readReply(Buffer.concat(chunks), columns);
    if (!reply.complete) throw new EngineFailure(reply.error);
    if (reply.error !== undefined) throw reply.error;
    return reply;
  }
}
