import { MemoryError, isMemoryError } from "../../model/errors.ts";
import type { ItemRef } from "../../model/item.ts";
import type { LeaseAnswer } from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { releaseLease, renewLease, takeLease } from "./queries/leases.ts";

/** Who may compute what is not there. */
export class Leases {
  readonly #context: AuthorityContext;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  take(ref: ItemRef, ttlSeconds: number | undefined): Promise<LeaseAnswer> {
    const { database, schema } = this.#context;
    return harmlessly(() => takeLease(database, schema, { ref, ttlSeconds }));
  }

  renew(ref: ItemRef, token: string, ttlSeconds: number): Promise<boolean> {
    const { database, schema } = this.#context;
    return harmlessly(() => renewLease(database, schema, { ref, token, ttlSeconds }));
  }

  release(ref: ItemRef, token: string): Promise<void> {
    const { database, schema } = this.#context;
    return harmlessly(() => releaseLease(database, schema, { ref, token }));
  }
}

/** Whatever became of a lease, no item was changed; one that nobody knows of ends by itself. */
async function harmlessly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isMemoryError(error) || error.code !== "OUTCOME_UNKNOWN") throw error;
    throw new MemoryError(
      "STORE_UNAVAILABLE",
      "the connection was lost while a lease was asked for; nothing was written, try again",
      { cause: error },
    );
  }
}
