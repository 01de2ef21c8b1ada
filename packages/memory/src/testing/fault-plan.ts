import { MemoryError } from "../model/errors.ts";

/**
 * How one call goes wrong. "before": it fails and has done nothing. "after": it was done, but the
 * answer is lost. "garbage": it answers with damaged bytes.
 */
export type Fault = "before" | "after" | "garbage";

/** One call that passes through a faulty wrapper. */
export interface Call {
  /** Counted over all calls, from 0. */
  readonly index: number;
  readonly method: string;
  /** Counted over the calls of this method, from 0. */
  readonly nth: number;
  /** Whether the call can change data. */
  readonly writes: boolean;
}

/**
 * Decides which calls fail, and counts them all. One plan may be shared by several wrappers, so that
 * "the n-th I/O of this scenario" means the n-th over all of them.
 */
export class FaultPlan {
  #decide: (call: Call) => Fault | undefined;
  readonly #counts = new Map<string, number>();
  #calls = 0;
  #injected = 0;

  constructor(decide: (call: Call) => Fault | undefined = () => undefined) {
    this.#decide = decide;
  }

  /** The n-th call from now (0 = the next) fails; all others work. */
  failNth(n: number, fault: Fault): void {
    const target = this.#calls + n;
    this.#decide = (call) => (call.index === target ? fault : undefined);
  }

  failWhen(predicate: (call: Call) => boolean, fault: Fault): void {
    this.#decide = (call) => (predicate(call) ? fault : undefined);
  }

  heal(): void {
    this.#decide = () => undefined;
  }

  /** Calls so far, of one method or of all. */
  calls(method?: string): number {
    return method === undefined ? this.#calls : (this.#counts.get(method) ?? 0);
  }

  /** Faults injected so far: a test that expects one can tell that it happened. */
  get injected(): number {
    return this.#injected;
  }

  /** Counts the call and says what shall become of it. */
  next(method: string, writes: boolean): Fault | undefined {
    const nth = this.calls(method);
    const call = { index: this.#calls, method, nth, writes };
    this.#calls += 1;
    this.#counts.set(method, nth + 1);
    const fault = this.#decide(call);
    if (fault !== undefined) this.#injected += 1;
    return fault;
  }
}

/** What a caller is told: of a write whose answer is lost nobody can say whether it happened. */
export function faultError(fault: Fault, method: string, writes: boolean): MemoryError {
  return fault === "after" && writes
    ? new MemoryError("OUTCOME_UNKNOWN", `injected: the answer of ${method} was lost`)
    : new MemoryError("STORE_UNAVAILABLE", `injected: ${method} failed`);
}

/** The same answer with the first byte array of every record or row damaged. Lengths stay. */
export function damage(answer: unknown): unknown {
  if (answer instanceof Uint8Array) {
    const bytes = Uint8Array.from(answer);
    const at = bytes.length - 1;
    bytes[at] = (bytes[at] ?? 0) ^ 0x40;
    return bytes;
  }
  if (Array.isArray(answer)) return answer.map(damage);
  if (typeof answer !== "object" || answer === null) return answer;
  return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, damage(value)]));
}
