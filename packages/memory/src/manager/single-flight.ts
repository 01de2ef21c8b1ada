/** Joins concurrent calls for one id into one. The entry lives only while the call runs. */
export class SingleFlight {
  readonly #running = new Map<string, Promise<unknown>>();

  run<T>(id: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(id);
    if (running !== undefined) return running as Promise<T>;
    const started = work().finally(() => this.#running.delete(id));
    this.#running.set(id, started);
    return started;
  }

  get size(): number {
    return this.#running.size;
  }
}
