import { MemoryError } from "../../model/errors.ts";
import type { TierHealth } from "../tier.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { migrate } from "./migrate.ts";

/** Opening, closing, and what the last call said of the database. */
export class AuthorityLifecycle {
  readonly #context: AuthorityContext;
  #state: "new" | "ready" | "closed" = "new";
  #opening: Promise<void> | undefined;
  /** Why the database could not serve the last call; undefined when it could. */
  #trouble: string | undefined;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  /** May be called again after it failed. */
  async initialize(): Promise<void> {
    if (this.#state === "ready") return;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    await this.#context.database.close();
  }

  assertReady(): void {
    if (this.#state === "ready") return;
    throw this.#state === "closed"
      ? new MemoryError("CLOSED", "the database tier is closed; make a new memory")
      : new MemoryError(
          "NOT_INITIALIZED",
          "the database tier is not open; await initialize() first",
        );
  }

  succeeded(): void {
    this.#trouble = undefined;
  }

  failed(error: MemoryError): void {
    if (error.code === "STORE_UNAVAILABLE" || error.code === "OUTCOME_UNKNOWN")
      this.#trouble = error.message;
  }

  health(): TierHealth {
    if (this.#state === "closed") return { status: "closed", reason: "closed" };
    if (this.#state === "new") return { status: "degraded", reason: "not open yet" };
    return this.#trouble === undefined
      ? { status: "ready" }
      : { status: "degraded", reason: this.#trouble };
  }

  async #open(): Promise<void> {
    if (this.#state === "closed") this.assertReady();
    const { database, schema } = this.#context;
    await database.open();
    await migrate(database, schema.name);
    this.#state = "ready";
  }
}
