import { MemoryError } from "../../src/model/errors.ts";
import type { Link } from "./link.ts";
import type { Cancel, Scheduler } from "./scheduler.ts";
import type { SimulatedDatabase } from "./simulated-database.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { Ended } from "./transactions.ts";

export interface DatabaseCallsOptions {
  readonly scheduler: Scheduler;
  readonly process: SimulatedProcess;
  readonly database: SimulatedDatabase;
  readonly link: Link;
  /** After it a caller gives up; what it asked for may still be done. */
  readonly timeoutMs: number;
}

/** Calls of one server to the database: each with a way there, its work, and a way back. */
export class DatabaseCalls {
  /** The last call did not come through. */
  hasFailed = false;
  readonly #options: DatabaseCallsOptions;

  constructor(options: DatabaseCallsOptions) {
    this.#options = options;
  }

  trace(line: () => string): void {
    const { scheduler, process } = this.#options;
    scheduler.trace(() => `${process.name} ${line()}`);
  }

  /** Whatever goes wrong, nothing was changed. */
  read<T>(name: string, work: () => T): Promise<T> {
    return this.#call<T>(name, unavailable, (done) => done({ answer: work() }));
  }

  write<T>(name: string, work: (done: (ended: Ended<T>) => void) => void): Promise<T> {
    return this.#call<T>(name, outcomeUnknown, work);
  }

  #call<T>(
    name: string,
    lost: () => MemoryError,
    work: (done: (ended: Ended<T>) => void) => void,
  ): Promise<T> {
    const { scheduler, process, database, link, timeoutMs } = this.#options;
    return new Promise<T>((resolve, reject) => {
      let isOver = false;
      let forgetTimer: Cancel = () => {};
      const end = (isFailure: boolean, settle: () => void): void =>
        process.deliver(() => {
          if (isOver) return;
          isOver = true;
          forgetTimer();
          this.hasFailed = isFailure;
          settle();
        });
      const fail = (error: () => MemoryError): void => {
        scheduler.trace(() => `${process.name} ${name} fails: ${error().code}`);
        end(true, () => reject(error()));
      };
      const later = (run: () => void): void => void scheduler.after(link.delayMs(), run);
      // A connection that is refused at once sent nothing.
      if (link.isCut) return later(() => fail(unavailable));
      forgetTimer = process.timer(timeoutMs, () => {
        if (!isOver) fail(lost);
      });
      later(() => {
        if (database.isAway || link.isCut) return later(() => fail(unavailable));
        work((ended) => {
          if (link.losesAnswer()) return;
          if ("answer" in ended) later(() => end(false, () => resolve(ended.answer)));
          else later(() => fail(lost));
        });
      });
    });
  }
}

export function unavailable(): MemoryError {
  return new MemoryError("STORE_UNAVAILABLE", "the simulated database did not answer");
}

function outcomeUnknown(): MemoryError {
  return new MemoryError("OUTCOME_UNKNOWN", "the answer of the simulated database was lost");
}
