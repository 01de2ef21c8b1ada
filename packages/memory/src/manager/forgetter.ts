import { mayHaveHappened } from "../coherence/copies.ts";
import { MemoryError, isMemoryError } from "../model/errors.ts";
import { checkKey } from "../model/key.ts";
import { checkPattern } from "../model/glob.ts";
import { parseFilter } from "../model/parse-filter.ts";
import type { Limits } from "../model/limits.ts";
import { checkTags } from "../model/value.ts";
import type { FilterNode } from "../model/filter.ts";
import type { ForgetChunk, Job, Selection } from "../tiers/authority.ts";
import type { Core } from "./core.ts";
import type { EphemeralPath } from "./ephemeral-path.ts";
import type { ForgetOptions, ForgetReceipt } from "./memory.ts";

/** Items a transaction deletes: its locks are short, and a crash loses little work. */
const CHUNK_ITEMS = 1000;
const KEYS_MAX = 10_000;

/** The selection of a forget, checked. One that selects nothing in particular is refused. */
export function checkSelection(
  namespace: string,
  options: ForgetOptions,
  core: Pick<Core, "config">,
): Selection {
  const { limits } = core.config;
  const { keys, pattern, metadataFilter, tags, below = false } = options;
  if (keys !== undefined) return { namespace, below: false, keys: checkKeys(options, limits) };
  const filter = metadataFilter === undefined ? undefined : parseFilter(metadataFilter, limits);
  const checkedTags = tags === undefined ? undefined : checkTags(tags, limits);
  // An empty list or filter matches everything: somebody's list may just have come out empty.
  const isSelective =
    pattern !== undefined ||
    (checkedTags ?? []).length > 0 ||
    (filter !== undefined && hasComparison(filter));
  if (!isSelective)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      'expected keys, a pattern, a metadataFilter or tags that select something; to forget everything say pattern "*"',
    );
  return {
    namespace,
    below,
    ...(pattern === undefined ? {} : { pattern: checkPattern(pattern, limits) }),
    ...(metadataFilter === undefined ? {} : { metadataFilter }),
    ...(checkedTags === undefined ? {} : { tags: checkedTags }),
  };
}

function checkKeys(options: ForgetOptions, limits: Limits): readonly string[] {
  const { keys, pattern, metadataFilter, tags, below } = options;
  if (pattern !== undefined || metadataFilter !== undefined || tags !== undefined || below === true)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      "keys: cannot be combined with pattern, metadataFilter, tags or below; send two requests",
      { field: "keys" },
    );
  if (!Array.isArray(keys) || keys.length > KEYS_MAX)
    throw new MemoryError("INVALID_ARGUMENT", `keys: expected a list of at most ${KEYS_MAX}`, {
      field: "keys",
    });
  return keys.map((key: unknown) => checkKey(key, limits));
}

/** STORE_UNAVAILABLE says that surely nothing was done. */
function inPart(error: unknown, forgotten: number): unknown {
  if (forgotten === 0 || !isMemoryError(error) || error.code !== "STORE_UNAVAILABLE") return error;
  return new MemoryError(
    "OUTCOME_UNKNOWN",
    `${forgotten} items were forgotten before this failed: ${error.message}; repeat it to forget the rest`,
    { cause: error },
  );
}

function hasComparison(node: FilterNode): boolean {
  if (node.kind === "and" || node.kind === "or") return node.nodes.some(hasComparison);
  return node.kind === "not" ? hasComparison(node.node) : true;
}

/** Forgets what a selection names: in bounded chunks, with a receipt that names each place. */
export class Forgetter {
  readonly #core: Core;
  readonly #ephemeral: EphemeralPath;
  readonly #stop = new AbortController();

  constructor(core: Core, ephemeral: EphemeralPath) {
    this.#core = core;
    this.#ephemeral = ephemeral;
  }

  async forget(selection: Selection, options: ForgetOptions): Promise<ForgetReceipt> {
    const dryRun = options.dryRun ?? false;
    const most = dryRun ? Number.POSITIVE_INFINITY : (options.jobAbove ?? Number.POSITIVE_INFINITY);
    const vanished = dryRun ? 0 : await this.#forgetEphemeral(selection);
    let forgotten = 0;
    const told: Promise<boolean>[] = [];
    const unindexed: Promise<boolean>[] = [];
    let after: string | undefined;
    let job: Job | undefined;
    try {
      do {
        const chunk = await this.#chunk(selection, after, dryRun);
        if (!dryRun) {
          told.push(this.#tell(chunk));
          unindexed.push(this.#unindex(chunk));
        }
        forgotten += chunk.forgotten.length;
        after = chunk.next;
      } while (after !== undefined && forgotten < most);
      if (after !== undefined)
        job = await this.#core.authority.createJob(selection, { after, forgotten });
    } catch (error) {
      throw dryRun ? error : inPart(error, forgotten + vanished);
    }
    const isConfirmed = dryRun || (await this.#confirm());
    const isToldShared = (await Promise.all(told)).every(Boolean);
    const isUnindexed = (await Promise.all(unindexed)).every(Boolean);
    return {
      forgotten: forgotten + vanished,
      dryRun,
      places: this.#places(dryRun, {
        unfinished: job !== undefined,
        isConfirmed,
        isToldShared,
        isUnindexed,
      }),
      ...(job === undefined ? {} : { job: job.id }),
    };
  }

  /** One chunk of a job, its copies dropped here; other servers hear of it from the change log. */
  async advance(job: Job): Promise<Job> {
    return this.#surely(job.selection, async () => {
      const advanced = await this.#core.authority.advanceJob(job.id, CHUNK_ITEMS);
      this.#drop(advanced.chunk);
      void this.#tell(advanced.chunk);
      await this.#unindex(advanced.chunk);
      return advanced.job;
    });
  }

  /** Ends a wait for other servers. */
  stop(): void {
    this.#stop.abort(new MemoryError("CLOSED", "the memory was closed while it was forgetting"));
  }

  async #chunk(
    selection: Selection,
    after: string | undefined,
    dryRun: boolean,
  ): Promise<ForgetChunk> {
    return this.#surely(selection, async () => {
      const chunk = await this.#core.authority.forgetChunk(selection, {
        limit: CHUNK_ITEMS,
        after,
        dryRun,
      });
      if (!dryRun) this.#drop(chunk);
      return chunk;
    });
  }

  /** Unless surely nothing was forgotten, nobody may know what was, so no copy there is trusted. */
  async #surely<T>({ namespace, below }: Selection, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (mayHaveHappened(error)) this.#core.copies.invalidateNamespace(namespace, below);
      throw error;
    }
  }

  #drop(chunk: ForgetChunk): void {
    for (const gone of chunk.forgotten) this.#core.copies.invalidate(gone, gone.version);
  }

  /** True when nothing that was forgotten lies in the shared tier any more. */
  async #tell(chunk: ForgetChunk): Promise<boolean> {
    const { shared } = this.#core;
    if (shared === undefined || chunk.forgotten.length === 0) return true;
    const outcomes = await shared.settle(
      chunk.forgotten.map((gone) => ({ ...gone, copy: undefined })),
    );
    return !outcomes.includes("failed");
  }

  /** False: it was not to be done now, and the indexer will do it when it has read so far. */
  async #unindex(chunk: ForgetChunk): Promise<boolean> {
    try {
      await this.#core.authority.keywords?.forget(chunk.forgotten);
      return true;
    } catch (error) {
      if (isMemoryError(error)) return false;
      throw error;
    }
  }

  async #forgetEphemeral(selection: Selection): Promise<number> {
    // Ephemeral items have no place in search, so a filter cannot select them.
    const { namespace, below, keys, pattern, metadataFilter, tags } = selection;
    if (keys !== undefined) return this.#forgetEphemeralKeys(namespace, keys);
    if (metadataFilter !== undefined || tags !== undefined) return 0;
    return this.#ephemeral.removeWhere({ namespace, below, pattern });
  }

  async #forgetEphemeralKeys(namespace: string, keys: readonly string[]): Promise<number> {
    let removed = 0;
    for (const key of await this.#ephemeral.among(namespace, keys))
      if (typeof (await this.#ephemeral.remove({ namespace, key }, undefined)) !== "string")
        removed += 1;
    return removed;
  }

  /** Waits until no other server can still serve what is gone; false when the memory closed meanwhile. */
  async #confirm(): Promise<boolean> {
    const { authority, clock, config } = this.#core;
    if (authority.exclusive) return true;
    try {
      await clock.sleep(config.maxStalenessMs, this.#stop.signal);
      return true;
    } catch {
      return false;
    }
  }

  #places(
    dryRun: boolean,
    told: {
      readonly unfinished: boolean;
      readonly isConfirmed: boolean;
      readonly isToldShared: boolean;
      readonly isUnindexed: boolean;
    },
  ): ForgetReceipt["places"] {
    const { unfinished, isConfirmed, isToldShared, isUnindexed } = told;
    const { copies, authority, shared } = this.#core;
    const state = dryRun ? "none" : unfinished ? "pending" : "removed";
    const names = [copies.objects?.name, copies.bytes?.name, authority.name];
    const places = names.flatMap((name) => (name === undefined ? [] : [[name, state] as const]));
    const inShared = isToldShared ? state : "pending";
    const inWords = isUnindexed ? state : "pending";
    return Object.fromEntries([
      ...places,
      ...(authority.keywords === undefined ? [] : [["words", inWords] as const]),
      ...(shared === undefined ? [] : [[shared.tier.name, inShared] as const]),
      ...(authority.exclusive ? [] : [["otherServers", isConfirmed ? state : "pending"] as const]),
    ]);
  }
}
