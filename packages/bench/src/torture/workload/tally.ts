/** Requests while one fault, or none, was in force. */
export interface Availability {
  readonly requests: number;
  readonly failed: number;
  /** Share of the requests that were served. */
  readonly served: number;
}

/** What was asked and checked, and how often nobody answered. */
export class Tally {
  /** The fault in force. */
  phase = "calm";
  operations = 0;
  outcomeUnknown = 0;
  readonly #requests = new Map<string, { requests: number; failed: number }>();
  readonly #checked = new Map<string, number>();
  readonly #codes = new Map<string, number>();

  /** `phase`: the one in which it was asked. */
  request(phase: string, failureCode: string | undefined): void {
    const counts = this.#requests.get(phase) ?? { requests: 0, failed: 0 };
    this.#requests.set(phase, counts);
    this.operations += 1;
    counts.requests += 1;
    if (failureCode === undefined) return;
    counts.failed += 1;
    const name = `${phase} ${failureCode}`;
    this.#codes.set(name, (this.#codes.get(name) ?? 0) + 1);
  }

  /** Something of this kind had an answer that can be judged. */
  checked(kind: string, count = 1): void {
    this.#checked.set(kind, (this.#checked.get(kind) ?? 0) + count);
  }

  get checks(): { readonly [kind: string]: number } {
    return Object.fromEntries(this.#checked);
  }

  get failureCodes(): { readonly [phaseAndCode: string]: number } {
    return Object.fromEntries(this.#codes);
  }

  get byFault(): { readonly [fault: string]: Availability } {
    return Object.fromEntries(
      [...this.#requests].map(([phase, { requests, failed }]) => [
        phase,
        { requests, failed, served: requests === 0 ? 1 : 1 - failed / requests },
      ]),
    );
  }
}
