/** What the killed process says, one line each. null = absent. */
export type CrashLine =
  | { readonly kind: "state"; readonly values: readonly (number | null)[] }
  | {
      readonly kind: "begin" | "acknowledged";
      readonly key: string;
      readonly value: number | null;
    };

export const WORKERS = 4;
const KEYS_EACH = 4;

export const CRASH_KEYS: readonly string[] = Array.from(
  { length: WORKERS * KEYS_EACH },
  (_, index) => `key-${index}`,
);

/** Every third write is a delete; with four keys in turn each key gets sets and deletes. */
export function isRemoval(n: number): boolean {
  return n % 3 === 2;
}

type Value = number | null;

/** What each key may hold: what was acknowledged last, or what was begun after it. */
export class CrashLedger {
  readonly #settled = new Map<string, Value>(CRASH_KEYS.map((key) => [key, null]));
  readonly #begun = new Map<string, Value>();
  readonly violations: string[] = [];
  acknowledged = 0;
  removed = 0;

  begin(key: string, value: Value): void {
    this.#begun.set(key, value);
  }

  acknowledge(key: string, value: Value): void {
    this.#settled.set(key, value);
    this.#begun.delete(key);
    this.acknowledged += 1;
    if (value === null) this.removed += 1;
  }

  /** The write that was begun surely did not happen. */
  refuse(key: string): void {
    this.#begun.delete(key);
  }

  /** Compares what the store holds now; from here on it is what is settled. */
  check(values: readonly Value[], when: string): void {
    for (const [index, key] of CRASH_KEYS.entries()) {
      const found = values[index] ?? null;
      const settled = this.#settled.get(key) ?? null;
      const begun = this.#begun.get(key);
      if (found !== settled && found !== begun)
        this.violations.push(
          `${when}: ${key} holds ${found}; acknowledged was ${settled}, begun ${String(begun)}`,
        );
      this.#settled.set(key, found);
    }
    this.#begun.clear();
  }

  apply(line: CrashLine, when: string): void {
    if (line.kind === "state") this.check(line.values, when);
    else if (line.kind === "begin") this.begin(line.key, line.value);
    else this.acknowledge(line.key, line.value);
  }
}
