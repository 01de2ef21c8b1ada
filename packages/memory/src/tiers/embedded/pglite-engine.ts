import { PGlite } from "@electric-sql/pglite";
import { btree_gin } from "@electric-sql/pglite/contrib/btree_gin";
import { vector } from "@electric-sql/pglite-pgvector";
import { DurableFiles } from "./durable-files.ts";

export interface Engine {
  readonly database: PGlite;
  /** undefined: nothing is kept, or durability against power loss was not wished. */
  readonly files: DurableFiles | undefined;
}

/**
 * Settings of the embedded server. Small log segments make a first start 1.5 s faster and the folder
 * 60 MB smaller. A process of one user needs no more than 32 MB of buffers: the system caches too.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  jit: "off",
  shared_buffers: "32MB",
  min_wal_size: "16MB",
  max_wal_size: "64MB",
  full_page_writes: "on",
  synchronous_commit: "on",
};

const FSYNC_OFF = "-F";
/** The other methods do not pass through the file system's fsync. */
const FSYNC_ON: Readonly<Record<string, string>> = { fsync: "on", wal_sync_method: "fsync" };

/**
 * What CREATE EXTENSION finds. They are unpacked and compiled at every start, wanted or not: for
 * `vector` 9 ms of processor time beside 507, and no memory that shows.
 */
const EXTENSIONS = { btree_gin, vector };

const CREATE_ARGUMENTS = ["--wal-segsize=1", "--no-sync", "--no-instructions"];

function startArguments(settings: Readonly<Record<string, string>>, fsync: boolean): string[] {
  const base = PGlite.defaultStartParams.filter((argument) => !fsync || argument !== FSYNC_OFF);
  return [
    ...base,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

/** Starts the engine on a folder, or in memory; makes the database when there is none. */
export async function startEngine(data: string | undefined, fsync: boolean): Promise<Engine> {
  const files = data !== undefined && fsync ? new DurableFiles(data) : undefined;
  const database = await PGlite.create({
    ...(data === undefined ? {} : { dataDir: data }),
    ...(files === undefined ? {} : { fs: files }),
    extensions: EXTENSIONS,
    startParams: startArguments(
      files === undefined ? SETTINGS : { ...SETTINGS, ...FSYNC_ON },
      files !== undefined,
    ),
    initDbStartParams: CREATE_ARGUMENTS,
  });
  return { database, files };
}
