import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { MemoryError } from "../../model/errors.ts";

/**
 * What lies in a storage folder: `data`, PostgreSQL's files; `format`, written when they are whole.
 * Files without it are those of a first start that was broken off, or somebody else's.
 */
const DATA = "data";
const FORMAT = "format";
const CREATING = "creating";
const SYNCS_AT_ONCE = 8;
const FORMAT_TEXT = "cherry-memory embedded storage 1\n";

export interface PreparedFolder {
  readonly data: string;
  readonly isNew: boolean;
}

export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new MemoryError(
      "INVALID_CONFIG",
      `the storage folder ${JSON.stringify(folder)} cannot be made; expected a folder that this user may write to`,
      { field: "CHERRY_DATA_DIR", cause },
    );
  }
}

/** Decides between a first start and a further one. The folder's lock must be held. */
export function prepareFolder(folder: string): PreparedFolder {
  const data = join(folder, DATA);
  const creating = join(folder, CREATING);
  if (existsSync(creating)) {
    // Nothing was acknowledged from these files: they never got as far as being opened.
    rmSync(data, { recursive: true, force: true });
  } else if (existsSync(join(folder, FORMAT))) {
    checkFormat(folder);
    if (existsSync(join(data, "PG_VERSION"))) return { data, isNew: false };
    throw folderError(folder, `its database ${JSON.stringify(data)} is missing`);
  } else if (existsSync(data)) {
    throw folderError(folder, `it holds ${JSON.stringify(data)}, which this program did not make`);
  }
  writeFileSync(creating, "");
  mkdirSync(data, { recursive: true });
  return { data, isNew: true };
}

function checkFormat(folder: string): void {
  const found = readFileSync(join(folder, FORMAT), "utf8");
  if (found === FORMAT_TEXT) return;
  throw folderError(
    folder,
    `its format is ${JSON.stringify(found.slice(0, 80))}, expected ${JSON.stringify(FORMAT_TEXT)}`,
  );
}

/** The first start went through: everything to the disk, and only then the mark that says so. */
export async function finishFolder(folder: string, sync: boolean): Promise<void> {
  const format = join(folder, FORMAT);
  if (sync) await syncAll(pathsBelow(join(folder, DATA)));
  writeFileSync(format, FORMAT_TEXT);
  if (sync) await syncAll([format]);
  rmSync(join(folder, CREATING), { force: true });
  if (sync) await syncAll([folder]);
}

export function folderError(folder: string, what: string, cause?: unknown): MemoryError {
  return new MemoryError(
    "INVALID_CONFIG",
    `the storage folder ${JSON.stringify(folder)} cannot be used: ${what}; choose another folder, or restore this one from a backup`,
    { field: "CHERRY_DATA_DIR", cause },
  );
}

/** Files and folders, a folder after what is in it. */
function pathsBelow(path: string): string[] {
  const paths: string[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) paths.push(...pathsBelow(child));
    else if (entry.isFile()) paths.push(child);
  }
  return [...paths, path];
}

/** A thousand files: several at a time is ten times faster, the file system then joins its commits. */
async function syncAll(paths: readonly string[]): Promise<void> {
  const queue = paths.values();
  const worker = async (): Promise<void> => {
    for (const path of queue) await syncPath(path);
  };
  await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, worker));
}

async function syncPath(path: string): Promise<void> {
  try {
    const file = await open(path, "r");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // Removed since it was listed: a log segment or a temporary file, which nothing depends on.
    const gone = error instanceof Error && "code" in error && error.code === "ENOENT";
    // Windows cannot sync a folder, nor a file opened for reading; its journal keeps names by itself.
    if (!gone && process.platform !== "win32") throw error;
  }
}
