/** Identity of a write; it lies in the value that the write stores, so that a read names its writer. */
export type WriteId = number;

/**
 * What became of a write. refused: the server said that it surely did nothing. unknown: no answer, or
 * one that says that nobody knows; it may take effect at any time after its start, or never.
 */
export type Outcome = "pending" | "acknowledged" | "refused" | "unknown";

/** Times are of the one process that asks: nothing is ever compared between two machines' clocks. */
export interface Write {
  readonly id: WriteId;
  readonly key: string;
  /** A removal is a delete, a forget, or what a clear of the namespace did to this key. */
  readonly kind: "put" | "remove";
  readonly server: string;
  readonly session: number | undefined;
  readonly start: number;
  /** When the answer came. */
  end: number | undefined;
  version: number | undefined;
  outcome: Outcome;
  readonly ttlMs: number | undefined;
  /** Of a compare-and-set: the version that it replaced. */
  readonly replaces: number | undefined;
  /** Writes of one atomic batch: all happened, or none. */
  readonly group: number | undefined;
}

export type ReadMode = "any" | "latest" | "session";

export interface Read {
  readonly key: string;
  readonly mode: ReadMode;
  /** One life of one server: a restart gives it another name. */
  readonly server: string;
  readonly session: number | undefined;
  readonly start: number;
  readonly end: number;
  /** undefined: absent. */
  readonly shown: WriteId | undefined;
  /** Not every operation tells it. */
  readonly version: number | undefined;
}

/** What one server answered after everything had been quiet, beside what the authority says. */
export interface FinalAnswer {
  readonly key: string;
  readonly server: string;
  readonly shown: WriteId | undefined;
  readonly truth: WriteId | undefined;
}

export interface Counter {
  readonly key: string;
  readonly acknowledged: number;
  readonly unknown: number;
  /** undefined: it could not be read at the end. */
  readonly final: number | undefined;
}

/** A source that a loader read, and when: what it brought back is not newer than that. */
export interface Load {
  readonly id: WriteId;
  readonly key: string;
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** All that was done in a run and seen in it. */
export interface History {
  readonly writes: readonly Write[];
  readonly reads: readonly Read[];
  readonly finals: readonly FinalAnswer[];
  readonly counters: readonly Counter[];
  readonly loads: readonly Load[];
}

/** Takes down what happens, as it happens. */
export class Recorder implements History {
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  readonly finals: FinalAnswer[] = [];
  readonly counters: Counter[] = [];
  readonly loads: Load[] = [];
  #lastId = 0;

  nextId(): WriteId {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** A write that is about to be asked for. */
  begin(
    write: Pick<Write, "id" | "key" | "kind" | "server" | "start"> &
      Partial<Pick<Write, "session" | "ttlMs" | "replaces" | "group">>,
  ): Write {
    const entry: Write = {
      session: undefined,
      ttlMs: undefined,
      replaces: undefined,
      group: undefined,
      ...write,
      end: undefined,
      version: undefined,
      outcome: "pending",
    };
    this.writes.push(entry);
    return entry;
  }
}

/** The write has been acknowledged; a removal of nothing changes no version, so it brings none. */
export function acknowledge(write: Write, end: number, version: number | undefined): void {
  write.end = end;
  write.version = version;
  write.outcome = "acknowledged";
}
