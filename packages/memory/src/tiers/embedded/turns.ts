/** One at a time, in the order of asking. */
export class Turns {
  #waiters: (() => void)[] = [];
  #taken = false;

  /** True when the turn was free and is now the caller's. */
  tryTake(): boolean {
    if (this.#taken) return false;
    this.#taken = true;
    return true;
  }

  async take(): Promise<void> {
    if (this.tryTake()) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** Passes the turn on. */
  give(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#taken = false;
    else next();
  }
}
