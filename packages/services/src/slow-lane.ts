/** Does things in the order given, each after its own delay at the least. */
export class SlowLane {
  readonly #waiting: { readonly dueAtMs: number; readonly act: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  push(delayMs: number, act: () => void): void {
    if (delayMs <= 0 && this.#waiting.length === 0) {
      act();
      return;
    }
    const dueAtMs = Math.max(performance.now() + delayMs, this.#waiting.at(-1)?.dueAtMs ?? 0);
    this.#waiting.push({ dueAtMs, act });
    this.#arm();
  }

  /** What has not been done yet never will be. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  #arm(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, first.dueAtMs - performance.now()));
  }

  #run(): void {
    this.#timer = undefined;
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || first.dueAtMs > performance.now()) break;
      this.#waiting.shift();
      first.act();
    }
    this.#arm();
  }
}
