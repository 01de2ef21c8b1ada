import { MemoryError, toMemoryError } from "../../model/errors.ts";
import type { ForgetChunk, Job, JobProgress, Selection } from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { assertCursor, isCursor } from "./forgetter.ts";
import type { Forgetter } from "./forgetter.ts";
import { beginWrite } from "./queries/begin-write.ts";
import { failJob, insertJob, lockJob, readJob, unfinishedJobs, updateJob } from "./queries/jobs.ts";

const NOTHING: ForgetChunk = { forgotten: [], examined: 0, next: undefined };
const FROM_THE_BEGINNING: JobProgress = { after: undefined, forgotten: 0 };
/** How ids are written. Text of another form is none, and may not even be text to the database. */
const JOB_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Characters of a wrong id that an error repeats: those of a right one. */
const ID_SHOWN_MAX = 36;

/**
 * Forgetting that outlives its server: a chunk and the note that it is done are one transaction, so
 * that after a crash any server goes on exactly where the last one stopped.
 */
export class JobRunner {
  readonly #context: AuthorityContext;
  readonly #forgetter: Forgetter;

  constructor(context: AuthorityContext, forgetter: Forgetter) {
    this.#context = context;
    this.#forgetter = forgetter;
  }

  async create(selection: Selection, progress: JobProgress = FROM_THE_BEGINNING): Promise<Job> {
    if (progress.after !== undefined) assertCursor(selection, progress.after);
    return insertJob(this.#context.database, this.#context.schema, selection, progress);
  }

  async read(id: string): Promise<Job | undefined> {
    if (!JOB_ID.test(id)) return undefined;
    return readJob(this.#context.database, this.#context.schema, id);
  }

  /** One that cannot be read is marked as failed, so that it comes no more. */
  async unfinished(limit: number): Promise<readonly Job[]> {
    const { database, schema } = this.#context;
    const jobs = await unfinishedJobs(database, schema, limit);
    for (const { id, error } of jobs)
      if (error !== undefined) await failJob(database, schema, { id, error });
    return jobs.filter((job) => job.state === "running");
  }

  async advance(
    id: string,
    limit: number,
  ): Promise<{ readonly job: Job; readonly chunk: ForgetChunk }> {
    const { database, schema } = this.#context;
    if (!JOB_ID.test(id)) throw notFound(id);
    try {
      return await database.transaction(async (tx) => {
        await beginWrite(tx, schema);
        const locked = await lockJob(tx, schema, id);
        if (locked === undefined) throw notFound(id);
        const { job, fence } = locked;
        if (job.state !== "running") return { job, chunk: NOTHING };
        const { selection, cursor } = job;
        // Of another release: what it has forgotten is gone, so the beginning is a place too.
        const isKnown = cursor !== undefined && isCursor(selection, cursor);
        const after = isKnown ? cursor : undefined;
        const request = { selection, limit, after, versionMax: fence };
        const chunk = await this.#forgetter.forgetIn(tx, request);
        const progress = { id, forgotten: chunk.forgotten.length, cursor: chunk.next };
        return { job: await updateJob(tx, schema, progress), chunk };
      });
    } catch (error) {
      const { code, message } = toMemoryError(error);
      // Its selection can never be run, for instance after a downgrade. All else may pass.
      if (code.startsWith("INVALID_")) await failJob(database, schema, { id, error: message });
      throw error;
    }
  }
}

function notFound(id: string): MemoryError {
  const shown = JSON.stringify(id.slice(0, ID_SHOWN_MAX));
  return new MemoryError(
    "NOT_FOUND",
    `there is no job ${shown}; a finished one is kept for a while only`,
  );
}
