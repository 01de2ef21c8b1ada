export type ServerPhase = "starting" | "ready" | "draining";

/** Where the server is in its life, and how many requests it is working on. */
export class ServerState {
  readonly #drain = new AbortController();
  #ready = false;
  /** Beside the signal, whose getters cost: it is asked for each answer. */
  #draining = false;
  inFlight = 0;
  streams = 0;

  get phase(): ServerPhase {
    if (this.#draining) return "draining";
    return this.#ready ? "ready" : "starting";
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Set once the memory can be used; it stays so through the drain. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Aborted when the drain begins: streams end, connections are not kept. */
  get drainSignal(): AbortSignal {
    return this.#drain.signal;
  }

  markReady(): void {
    this.#ready = true;
  }

  startDrain(): void {
    this.#draining = true;
    this.#drain.abort();
  }
}
