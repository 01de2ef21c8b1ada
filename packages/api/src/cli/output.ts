import { isMemoryError } from "@cherry-ai/memory";
import { CherryError } from "@cherry-ai/client";

/** Exit codes of the command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** With --json the last thing on stdout is one JSON document. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** A wrong option or setting, as opposed to work that failed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What to say about an error, and the exit code that goes with it. */
export function describeFailure(error: unknown): { readonly text: string; readonly exit: number } {
  if (error instanceof UsageError) return { text: error.message, exit: EXIT.usage };
  if (isMemoryError(error)) {
    const exit = error.code === "INVALID_CONFIG" ? EXIT.usage : EXIT.failed;
    return { text: `${error.code}: ${error.message}`, exit };
  }
  if (error instanceof CherryError)
    return { text: `${error.code}: ${error.message}`, exit: EXIT.failed };
  if (error instanceof Error) return { text: error.message, exit: EXIT.failed };
  return { text: String(error), exit: EXIT.failed };
}
