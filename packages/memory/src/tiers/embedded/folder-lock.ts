import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryError } from "../../model/errors.ts";

/** A folder that is ours alone until `release`. */
export interface FolderLock {
  release(): void;
}

const LOCK_FILE = "lock";
const HOLDER_FILE = "holder";
const SQLITE_BUSY = 5;

/**
 * Takes the folder for this process, or throws STORAGE_LOCKED.
 *
 * The lock is SQLite's, on a file of its own: an operating system lock, so that it ends with the
 * process however that dies, two that start at once cannot both get it, no pid can be mistaken for
 * another's, and processes in other containers see it too. Node brings SQLite on every system; it has
 * no file locks of its own. A lock file with a pid in it can do none of this without races.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  // Loaded when needed: older Node prints a warning that it is experimental.
  const { DatabaseSync } = await import("node:sqlite");
  const file = join(folder, LOCK_FILE);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    const busy = cause instanceof Error && "errcode" in cause && cause.errcode === SQLITE_BUSY;
    if (busy) throw lockedError(folder);
    throw new MemoryError(
      "INVALID_CONFIG",
      `the lock file ${JSON.stringify(file)} cannot be used; expected a file that this program made: choose another storage folder or, when no process uses this one, remove that file`,
      { field: "CHERRY_DATA_DIR", cause },
    );
  }
  const holder = join(folder, HOLDER_FILE);
  writeFileSync(holder, `${process.pid}\n`);
  let held = true;
  return {
    release: () => {
      if (!held) return;
      held = false;
      rmSync(holder, { force: true });
      database.close();
    },
  };
}

function lockedError(folder: string): MemoryError {
  return new MemoryError(
    "STORAGE_LOCKED",
    `the storage folder ${JSON.stringify(folder)} is locked by ${describeHolder(folder)}; one process at a time may use it: stop that one, choose another folder, or set DATABASE_URL to share a PostgreSQL`,
    { field: "CHERRY_DATA_DIR" },
  );
}

function describeHolder(folder: string): string {
  try {
    const pid = readFileSync(join(folder, HOLDER_FILE), "utf8").trim();
    if (pid === String(process.pid))
      return `this process (pid ${pid}), which has opened it already`;
    if (pid !== "") return `process ${pid}`;
  } catch {
    // Between taking the lock and writing its pid; the lock is what counts.
  }
  return "another process";
}
