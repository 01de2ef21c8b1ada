import type { Result } from "./result.ts";

/** What cases share within one run. */
export interface Context {
  /** A new empty database of one real PostgreSQL (fsync on), which all cases of the run share. */
  database(name: string): Promise<string>;
  /** Undefined when a real PostgreSQL can be started, else why not. */
  readonly databaseMissing: string | undefined;
  /** One real Redis, which all cases of the run share; emptied at each call. */
  redis(): Promise<string>;
  /** Undefined when a real Redis can be started, else why not. */
  readonly redisMissing: string | undefined;
  /** Tells a person what is going on. */
  progress(text: string): void;
}

/** A few results that are measured together. */
export interface Case {
  readonly name: string;
  readonly about: string;
  run(context: Context): Promise<readonly Result[]>;
}

export interface Suite {
  readonly name: string;
  readonly about: string;
  readonly cases: readonly Case[];
}
