/** Figures of one round beside its time, such as a percentile or bytes. */
export type Figures = { readonly [name: string]: number };

/** What a contender is told when it is made; it crosses a process boundary. */
export type ContenderOptions = { readonly [name: string]: string | number | boolean };

/** An option that is text; empty when it was not given. */
export function textOption(options: ContenderOptions, name: string): string {
  const value = options[name];
  return typeof value === "string" ? value : "";
}

/** One side of a comparison, ready to be measured in a process of its own. */
export interface Contender {
  /**
   * Does so many operations. Returns a number made from every answer, so that no work can be
   * optimized away; NaN when the operations did not do what is measured and must not count.
   */
  run(operations: number): number | Promise<number>;
  /** Figures gathered since the last call. */
  figures?(): Figures;
  close(): Promise<void> | void;
}

export type ContenderFactory = (options: ContenderOptions) => Promise<Contender>;

/** What a contender module exports as `contenders`. */
export type Contenders = { readonly [name: string]: ContenderFactory };

/** How the rounds of one comparison go. */
export interface RoundPlan {
  readonly rounds: number;
  /** Measured time of one round of one contender. */
  readonly roundMs: number;
  /** Time spent before the first round, so that the code is compiled. */
  readonly warmUpMs: number;
  /** Operations are timed in chunks of about so long; the event loop turns between them. */
  readonly chunkMs: number;
  /** A full collection before each round. Off where pauses are what is measured. */
  readonly collect: boolean;
  /** Rest after a chunk that does not count, so that whatever ran out is renewed in the background. */
  readonly discardPauseMs: number;
}

/** Many short rounds: what is compared lies close together in time, whatever else the machine does. */
export const DEFAULT_PLAN: RoundPlan = {
  rounds: 25,
  roundMs: 80,
  warmUpMs: 600,
  chunkMs: 20,
  collect: true,
  discardPauseMs: 50,
};

/** What one contender did in one round. */
export interface Sample {
  readonly operations: number;
  readonly elapsedMs: number;
  /** Processor time of the thread that ran them: what they cost, whoever else wants the machine. */
  readonly cpuMs: number;
  readonly figures: Figures;
}

/** From the parent to a contender's process. */
export type Request = { readonly kind: "round" } | { readonly kind: "close" };

/** From a contender's process to the parent. */
export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "sample"; readonly sample: Sample }
  | { readonly kind: "failed"; readonly message: string };

/** What a contender's process is started with. */
export interface Assignment {
  /** URL of a module that exports `contenders`. */
  readonly module: string;
  readonly contender: string;
  readonly options: ContenderOptions;
  readonly plan: RoundPlan;
}
