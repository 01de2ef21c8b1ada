import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder {
  readonly path: string;
  /** Removes it with all that is in it; safe to call twice. */
  remove(): void;
}

const left = new Set<string>();
let sweepsAtExit = false;

function removeFolder(path: string): void {
  left.delete(path);
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** A new empty folder. What is not removed by its user goes when the process exits. */
export function temporaryFolder(prefix: string): TemporaryFolder {
  if (!sweepsAtExit) {
    sweepsAtExit = true;
    process.on("exit", () => {
      for (const path of left) removeFolder(path);
    });
  }
  const path = mkdtempSync(join(realpathSync(tmpdir()), `cherry-${prefix}-`));
  left.add(path);
  return { path, remove: () => removeFolder(path) };
}
