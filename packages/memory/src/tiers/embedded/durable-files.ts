import { closeSync, fdatasync, fdatasyncSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { PGlite } from "@electric-sql/pglite";

/** What the engine's file system calls for each open file. */
interface FileStream {
  readonly path?: string;
  readonly nfd?: number;
}

interface FileOperations {
  fsync?: (stream: FileStream) => number;
  write: (stream: FileStream, ...rest: unknown[]) => number;
}

const datasync = promisify(fdatasync);

type Prepared = Awaited<ReturnType<NodeFS["init"]>>;

const SEGMENT = /\/pg_wal\/[0-9A-F]{24}$/;
const WRITE_AHEAD_LOG = "/pg_wal/";
/** The engine's number for EIO. */
const IO_ERROR = 29;

/**
 * Gives PGlite the fsync that it lacks.
 *
 * PGlite starts PostgreSQL with fsync off, and its file system knows no fsync. Here the call reaches
 * the disk, so that with fsync on PostgreSQL's own rules hold in full: data files are synced before
 * the checkpoint that counts on them is recorded, and the control file, new log segments and folders
 * when they change.
 *
 * One call is put off: the sync of a log segment at a commit. `flush` carries it out on another thread
 * and for all commits until then; a write is acknowledged only after it. Before anything but the
 * log is written or synced, what was put off is done at once, so the log is always first.
 */
export class DurableFiles extends NodeFS {
  readonly #folder: string;
  /**
   * Log segments whose sync was put off, each with a descriptor of our own: the engine may close its
   * own meanwhile, and rename a segment for another use.
   */
  #pending = new Map<string, number>();
  /** Those that the other thread syncs now: not on the disk yet either. */
  #underWay = new Map<string, number>();
  #deferring = false;
  #flushing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #failure: unknown;

  constructor(folder: string) {
    super(folder);
    this.#folder = folder;
  }

  override async init(
    engine: Parameters<NodeFS["init"]>[0],
    options: Parameters<NodeFS["init"]>[1],
  ): Promise<Prepared> {
    const prepared = await super.init(engine, options);
    prepared.emscriptenOpts.preRun = [
      ...(prepared.emscriptenOpts.preRun ?? []),
      (module) => this.#attach(module),
    ];
    return prepared;
  }

  /** Off while the engine starts and stops: every sync is then done at once. */
  set deferring(on: boolean) {
    this.#deferring = on;
    if (!on) this.#syncPending();
  }

  /** Resolves when all that was committed before the call is on the disk. */
  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure as Error);
    if (this.#pending.size === 0) return Promise.resolve();
    // A flush under way may have begun before our commit; all who come now share the one after it.
    this.#next ??= this.#flushing.then(() => {
      this.#next = undefined;
      this.#flushing = this.#syncOnThread();
      return this.#flushing;
    });
    return this.#next;
  }

  async #syncOnThread(): Promise<void> {
    const segments = this.#pending;
    this.#underWay = segments;
    this.#pending = new Map();
    try {
      for (const descriptor of segments.values()) await datasync(descriptor);
    } catch (cause) {
      throw this.#fail(cause);
    } finally {
      this.#underWay = new Map();
      for (const descriptor of segments.values()) closeSync(descriptor);
    }
  }

  /** The kernel may have dropped what it could not write: no later sync can make up for it. */
  #fail(cause: unknown): unknown {
    this.#failure ??= cause;
    return cause;
  }

  #syncPending(): void {
    if (this.#pending.size === 0 && this.#underWay.size === 0) return;
    for (const descriptor of this.#underWay.values()) fdatasyncSync(descriptor);
    for (const [path, descriptor] of this.#pending) {
      fdatasyncSync(descriptor);
      this.#pending.delete(path);
      closeSync(descriptor);
    }
  }

  #attach(module: unknown): void {
    const operations = fileOperations(module);
    const write = operations.write;
    operations.write = (stream, ...rest) => {
      if (stream.path?.includes(WRITE_AHEAD_LOG) !== true) this.#guarded(() => this.#syncPending());
      return write(stream, ...rest);
    };
    operations.fsync = (stream) => {
      this.#guarded(() => this.#sync(stream));
      return 0;
    };
  }

  #sync(stream: FileStream): void {
    const path = stream.path ?? "";
    if (this.#deferring && this.#failure === undefined && SEGMENT.test(path)) {
      if (!this.#pending.has(path)) this.#pending.set(path, openSync(this.#hostPath(path), "r+"));
      return;
    }
    this.#syncPending();
    if (stream.nfd !== undefined) fsyncSync(stream.nfd);
  }

  /** The engine understands only its own kind of error; any other would leave it half done. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#fail(cause);
      throw Object.assign(new Error("fsync failed", { cause }), {
        name: "ErrnoError",
        errno: IO_ERROR,
      });
    }
  }

  #hostPath(path: string): string {
    return join(this.#folder, path.slice(PGlite.paths.PGDATA.length));
  }
}

/** The table of calls inside the engine's module; a release that moved it must not go unnoticed. */
function fileOperations(module: unknown): FileOperations {
  const found = ["FS", "filesystems", "NODEFS", "stream_ops"].reduce<unknown>(
    (value, name) => (value as { readonly [name: string]: unknown } | undefined)?.[name],
    module,
  );
  if (typeof found === "object" && found !== null && "write" in found) {
    return found as FileOperations;
  }
  throw new Error("this release of PGlite has another file system: fsync cannot be added to it");
}
