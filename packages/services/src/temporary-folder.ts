import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardFolder } from "./guard.ts";

export interface TemporaryFolder {
  readonly path: string;
  /** Removes it with all that is in it; safe to call twice. */
  remove(): void;
}

let ours: string | undefined;

function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** Holds all folders of this process, so that one guard can remove them whatever ends us. */
function folderOfProcess(): string {
  if (ours !== undefined) return ours;
  const path = mkdtempSync(join(realpathSync(tmpdir()), "cherry-"));
  // Servers run as other users, who must get through to their part of it.
  chmodSync(path, 0o711);
  guardFolder(path);
  process.on("exit", () => removeFolder(path));
  ours = path;
  return path;
}

/** A new empty folder. What its user does not remove goes when the process ends, even by SIGKILL. */
export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(folderOfProcess(), `${prefix}-`));
  return { path, remove: () => removeFolder(path) };
}
