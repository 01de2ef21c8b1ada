import { MemoryError, toMemoryError } from "../../model/errors.ts";
import type { ForgetChunk, Job, Selection } from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import type { Forgetter } from "./forgetter.ts";
import { beginWrite } from "./queries/begin-write.ts";
import { failJob, insertJob, lockJob, readJob, unfinishedJobs, updateJob } from "./queries/jobs.ts";

const NOTHING: ForgetChunk = { forgotten: [], examined: 0, next: undefined };

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

  create(selection: Selection): Promise<Job> {
    return insertJob(this.#context.database, this.#context.schema, selection);
  }

  read(id: string): Promise<Job | undefined> {
    return readJob(this.#context.database, this.#context.schema, id);
  }

  unfinished(limit: number): Promise<readonly Job[]> {
    return unfinishedJobs(this.#context.database, this.#context.schema, limit);
  }

  async advance(
    id: string,
    limit: number,
  ): Promise<{ readonly job: Job; readonly chunk: ForgetChunk }> {
    const { database, schema } = this.#context;
    try {
      return await database.transaction(async (tx) => {
        await beginWrite(tx, schema);
        const job = await lockJob(tx, schema, id);
        if (job === undefined)
          throw new MemoryError("NOT_FOUND", `job ${JSON.stringify(id)} does not exist`);
        if (job.state !== "running") return { job, chunk: NOTHING };
        const chunk = await this.#forgetter.forgetIn(tx, {
          selection: job.selection,
          limit,
          after: job.cursor,
        });
        const progress = { id, forgotten: chunk.forgotten.length, cursor: chunk.next };
        return { job: await updateJob(tx, schema, progress), chunk };
      });
    } catch (error) {
      const { code, message } = toMemoryError(error);
      // Its selection or cursor can never be run, for instance after a downgrade. All else may pass.
      if (code.startsWith("INVALID_")) await failJob(database, schema, { id, error: message });
      throw error;
    }
  }
}
