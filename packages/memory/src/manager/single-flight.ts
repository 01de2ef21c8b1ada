/** A call that runs for one id. */
export interface Flight<T> {
  readonly answer: Promise<T>;
  /** It had begun before it was asked for. */
  readonly joined: boolean;
}

/** Joins concurrent calls for one id into one. The entry lives only while the call runs. */
export class SingleFlight {
  readonly #running = new Map<string, Promise<unknown>>();

  /** All calls for one id must give the same type. */
  run<T>(id: string, work: () => Promise<T>): Flight<T> {
    const running = this.#running.get(id);
    if (running !== undefined) return { answer: running as Promise<T>, joined: true };
    const started = work().finally(() => this.#running.delete(id));
    this.#running.set(id, started);
    return { answer: started, joined: false };
  }

  has(id: string): boolean {
    return this.#running.has(id);
  }

  get size(): number {
    return this.#running.size;
  }
}
