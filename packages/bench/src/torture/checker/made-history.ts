import type { Counter, FinalAnswer, Load, Read, Write } from "../history/history.ts";
import type { History } from "../history/history.ts";

type Given<T> = Partial<T> & Pick<Write, "start">;

/** A history written by hand, for the tests: times in milliseconds, everything on key `k`. */
export class MadeHistory implements History {
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  readonly finals: FinalAnswer[] = [];
  readonly counters: Counter[] = [];
  readonly loads: Load[] = [];

  /** Acknowledged 10 ms after its start unless said otherwise; its version is its id. */
  put(id: number, given: Given<Write>): this {
    return this.#write(id, "put", given);
  }

  remove(id: number, given: Given<Write>): this {
    return this.#write(id, "remove", given);
  }

  /** Answered 10 ms after its start. */
  read(shown: number | undefined, given: Given<Read>): this {
    this.reads.push({
      key: "k",
      mode: "any",
      server: "a",
      session: undefined,
      end: given.start + 10,
      shown,
      version: shown,
      ...given,
    });
    return this;
  }

  #write(id: number, kind: Write["kind"], given: Given<Write>): this {
    const outcome = given.outcome ?? "acknowledged";
    const acknowledged = outcome === "acknowledged";
    this.writes.push({
      id,
      key: "k",
      kind,
      server: "w",
      session: undefined,
      end: acknowledged ? given.start + 10 : undefined,
      version: acknowledged ? id : undefined,
      ttlMs: undefined,
      replaces: undefined,
      group: undefined,
      ...given,
      outcome,
    });
    return this;
  }
}
