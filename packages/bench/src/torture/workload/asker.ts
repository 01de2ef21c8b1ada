import { acknowledge } from "../history/history.ts";
import type { Read, Recorder, Write } from "../history/history.ts";
import type { Answer, Call, Shown, Value } from "../servers/protocol.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { itemName } from "./keyspace.ts";
import { codeOf, isOutage, outcomeOf } from "./outcome.ts";
import type { Tally } from "./tally.ts";

/** One way for all: this process' monotonic clock. */
export function nowMs(): number {
  return performance.now();
}

export interface Asked {
  readonly answer: Answer;
  readonly server: string;
  readonly start: number;
  readonly end: number;
}

export interface WriteRequest {
  readonly kind: Write["kind"];
  readonly namespace: string;
  readonly key: string;
  readonly id: number;
  readonly session?: number;
  readonly ttlMs?: number;
  readonly replaces?: number;
}

/** Asks servers, and takes down what was asked and answered. */
export class Asker {
  readonly recorder: Recorder;
  readonly tally: Tally;
  /** Whether the subject's batches are all or nothing when they are told to be. */
  readonly #atomicBatches: boolean;

  constructor(recorder: Recorder, tally: Tally, atomicBatches: boolean) {
    this.recorder = recorder;
    this.tally = tally;
    this.#atomicBatches = atomicBatches;
  }

  /** Undefined when nobody answered, or with an error. */
  async ask(server: ServerProcess, call: Call): Promise<Asked | undefined> {
    const { phase } = this.tally;
    const name = server.name;
    const start = nowMs();
    try {
      const answer = await server.call(call);
      this.tally.request(phase, undefined);
      return { answer, server: name, start, end: nowMs() };
    } catch (error) {
      const code = codeOf(error);
      this.tally.request(phase, isOutage(code) ? code : undefined);
      return undefined;
    }
  }

  /** A read whose answer is judged. */
  read(asked: Asked, read: Pick<Read, "key" | "mode" | "session">, shown: Shown): void {
    const { server, start, end } = asked;
    this.recorder.reads.push({
      ...read,
      server,
      start,
      end,
      shown: shown?.id,
      version: shown?.version,
    });
    this.tally.checked(shown === undefined ? "absent" : "present");
  }

  /**
   * One call that makes all of `requests` happen; `versions` tells each one's version from the answer.
   * Resolves to the answer, undefined when it was refused or nobody knows.
   */
  async write(
    server: ServerProcess,
    call: Call,
    requests: readonly WriteRequest[],
    settle: (answer: Answer, index: number) => number | undefined | "refused" | "unknown" = (
      answer,
    ) => answer.version,
  ): Promise<Asked | { readonly refusedAs: string }> {
    const { phase } = this.tally;
    const start = nowMs();
    const group = requests.length > 1 && this.#isOneTransaction(call) ? requests[0]?.id : undefined;
    const writes = requests.map(({ kind, namespace, key, id, session, ttlMs, replaces }) =>
      this.recorder.begin({
        id,
        key: itemName(namespace, key),
        kind,
        server: server.name,
        start,
        session,
        ttlMs,
        replaces,
        group,
      }),
    );
    const name = server.name;
    try {
      const answer = await server.call(call);
      const end = nowMs();
      for (const [index, write] of writes.entries()) {
        const version = settle(answer, index);
        if (version === "refused" || version === "unknown") this.#fail(write, version);
        else acknowledge(write, end, version);
      }
      this.tally.request(phase, undefined);
      return { answer, server: name, start, end };
    } catch (error) {
      const code = codeOf(error);
      for (const write of writes) this.#fail(write, outcomeOf(code));
      this.tally.request(phase, isOutage(code) ? code : undefined);
      return { refusedAs: code };
    }
  }

  #fail(write: Write, outcome: "refused" | "unknown"): void {
    write.outcome = outcome;
    if (outcome === "unknown") this.tally.outcomeUnknown += 1;
  }

  /** All of it or nothing. */
  #isOneTransaction(call: Call): boolean {
    return call.op === "clear" || (call.op === "batch" && call.atomic && this.#atomicBatches);
  }

  newValue(): Value {
    return { id: this.recorder.nextId() };
  }
}

export function wasAnswered(result: Asked | { readonly refusedAs: string }): result is Asked {
  return "answer" in result;
}
