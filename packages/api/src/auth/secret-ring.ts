import { stat } from "node:fs/promises";
import type { Clock } from "@cherry-ai/memory";
import type { Logger } from "pino";
import { readSecrets } from "../config/secrets.ts";

const CHECK_INTERVAL_MS = 2_000;

export interface SecretRingOptions {
  readonly secrets: readonly string[];
  readonly file: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after the secrets have changed. */
  readonly onChange: () => void;
}

/** The secrets that verify tokens. With a file, a change of it is taken up without a restart. */
export class SecretRing {
  #keys: readonly Uint8Array[];
  #stamp = "";
  readonly #options: SecretRingOptions;
  readonly #stop = new AbortController();

  constructor(options: SecretRingOptions) {
    this.#options = options;
    this.#keys = options.secrets.map((secret) => Buffer.from(secret));
  }

  /** The first signs, all verify. */
  get keys(): readonly Uint8Array[] {
    return this.#keys;
  }

  /** Looks at the file from time to time until `close`. */
  async follow(): Promise<void> {
    const { file, clock } = this.#options;
    if (file === undefined) return;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#refresh(file);
      try {
        await clock.sleep(CHECK_INTERVAL_MS, signal);
      } catch {
        return;
      }
    }
  }

  close(): void {
    this.#stop.abort();
  }

  async #refresh(file: string): Promise<void> {
    const { logger, onChange } = this.#options;
    const found = await stat(file).catch(() => undefined);
    // A file that is being replaced may be away for a moment: what is known stays good.
    if (found === undefined) return;
    const stamp = `${found.ino}:${found.mtimeMs}:${found.size}`;
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const read = readSecrets(file);
    if ("problem" in read) {
      logger.error({ file, problem: read.problem }, "the JWT secrets were not taken up");
      return;
    }
    const keys = read.secrets.map((secret) => Buffer.from(secret));
    const same =
      keys.length === this.#keys.length &&
      keys.every((key, index) => key.equals(this.#keys[index] ?? Buffer.alloc(0)));
    if (same) return;
    this.#keys = keys;
    onChange();
    logger.info({ file, secrets: keys.length }, "the JWT secrets have changed");
  }
}
