import { createHash } from "node:crypto";
import type { Statement } from "./database.ts";

/** PostgreSQL cuts identifiers at 63 bytes; the hash must survive that. */
const NAME_CHARACTERS = 40;
const HASH_CHARACTERS = 16;
/** Named statements are few and fixed; the bound is against a caller who makes them up. */
const REMEMBERED_MAX = 1000;

/**
 * Names of prepared statements on the wire.
 *
 * The name carries a hash of the text. A pooler in transaction mode may run our Bind on a server
 * connection where someone else (another release, another schema) prepared the name: with the hash
 * it can only be the same text. Where it was never prepared the server says so before it executes
 * anything; from then on all statements go unnamed.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  #named = true;
  #generation = 0;

  /** undefined = send it unnamed. */
  nameOf(statement: Statement): string | undefined {
    if (!this.#named || statement.name === undefined) return undefined;
    const known = this.#names.get(statement.text);
    if (known !== undefined) return known;
    if (this.#names.size >= REMEMBERED_MAX) return undefined;
    const hash = createHash("sha256")
      .update(statement.text)
      .digest("hex")
      .slice(0, HASH_CHARACTERS);
    const name = `${statement.name.slice(0, NAME_CHARACTERS)}_${hash}_${this.#generation}`;
    this.#names.set(statement.text, name);
    return name;
  }

  /** All are prepared anew, under other names: a plan has gone stale on any of the connections. */
  renew(): void {
    this.#generation++;
    this.#names.clear();
  }

  /** For good: a pooler stands between, and it does not keep prepared statements. */
  goUnnamed(): void {
    this.#named = false;
  }
}
