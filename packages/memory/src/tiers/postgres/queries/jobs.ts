import { MemoryError } from "../../../model/errors.ts";
import type { Job, JobProgress, Selection } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { exactMs, numberIn, onlyRow, optionalTextIn, textIn } from "../columns.ts";
import type { Database, Queryable, Row, Statement } from "../database.ts";

const JOB_COLUMNS = `id, namespace, kind, selection, state, forgotten, cursor, error,
  date_part('epoch', created_at) * 1000 AS created_ms,
  date_part('epoch', updated_at) * 1000 AS updated_ms`;

const INSERT_JOB: Statement = {
  name: "insert_job",
  text: `INSERT INTO {{schema}}.jobs (namespace, kind, selection, cursor, forgotten)
    VALUES ($1, 'forget', $2::text::json, $3, $4) RETURNING ${JOB_COLUMNS}`,
};

const READ_JOB: Statement = {
  name: "read_job",
  text: `SELECT ${JOB_COLUMNS} FROM {{schema}}.jobs WHERE id = $1`,
};

const LOCK_JOB: Statement = {
  name: "lock_job",
  text: `SELECT ${JOB_COLUMNS}, fence FROM {{schema}}.jobs WHERE id = $1 FOR UPDATE`,
};

const UPDATE_JOB: Statement = {
  name: "update_job",
  text: `UPDATE {{schema}}.jobs SET forgotten = forgotten + $2, cursor = $3, state = $4,
      updated_at = clock_timestamp()
    WHERE id = $1 RETURNING ${JOB_COLUMNS}`,
};

const FAIL_JOB: Statement = {
  name: "fail_job",
  text: `UPDATE {{schema}}.jobs SET state = 'failed', error = $2, updated_at = clock_timestamp()
    WHERE id = $1 AND state = 'running'`,
};

const UNFINISHED_JOBS: Statement = {
  name: "unfinished_jobs",
  text: `SELECT ${JOB_COLUMNS} FROM {{schema}}.jobs WHERE state = 'running'
    ORDER BY created_at, id LIMIT $1`,
};

const DELETE_OLD_JOBS: Statement = {
  name: "delete_old_jobs",
  text: `DELETE FROM {{schema}}.jobs WHERE id IN (
    SELECT id FROM {{schema}}.jobs
    WHERE state <> 'running' AND updated_at < now() - make_interval(secs => $2::float8)
    LIMIT $1 FOR UPDATE SKIP LOCKED)`,
};

export async function insertJob(
  database: Database,
  schema: BoundSchema,
  selection: Selection,
  progress: JobProgress,
): Promise<Job> {
  const { after, forgotten } = progress;
  const values = [selection.namespace, JSON.stringify(selection), after ?? null, forgotten];
  return jobOf(onlyRow(await database.write(schema.bind(INSERT_JOB), values)));
}

export async function readJob(
  database: Queryable,
  schema: BoundSchema,
  id: string,
): Promise<Job | undefined> {
  const [row] = await database.query(schema.bind(READ_JOB), [id]);
  return row === undefined ? undefined : jobOf(row);
}

export interface LockedJob {
  readonly job: Job;
  /** Items with a version above it were written since the job was made. */
  readonly fence: number;
}

/** Keeps other servers off the job until the transaction ends. */
export async function lockJob(
  tx: Queryable,
  schema: BoundSchema,
  id: string,
): Promise<LockedJob | undefined> {
  const [row] = await tx.query(schema.bind(LOCK_JOB), [id]);
  return row === undefined ? undefined : { job: jobOf(row), fence: numberIn(row, "fence") };
}

export async function updateJob(
  tx: Queryable,
  schema: BoundSchema,
  progress: {
    readonly id: string;
    readonly forgotten: number;
    readonly cursor: string | undefined;
  },
): Promise<Job> {
  const { id, forgotten, cursor } = progress;
  const state = cursor === undefined ? "done" : "running";
  const values = [id, forgotten, cursor ?? null, state];
  return jobOf(onlyRow(await tx.query(schema.bind(UPDATE_JOB), values)));
}

export async function failJob(
  database: Database,
  schema: BoundSchema,
  failure: { readonly id: string; readonly error: string },
): Promise<void> {
  await database.write(schema.bind(FAIL_JOB), [failure.id, failure.error]);
}

/** Also those that cannot be read, which show as failed. */
export async function unfinishedJobs(
  database: Queryable,
  schema: BoundSchema,
  limit: number,
): Promise<readonly Job[]> {
  return (await database.query(schema.bind(UNFINISHED_JOBS), [limit])).map(jobOf);
}

export async function deleteOldJobs(
  database: Database,
  schema: BoundSchema,
  bounds: { readonly limit: number; readonly ageSeconds: number },
): Promise<void> {
  await database.write(schema.bind(DELETE_OLD_JOBS), [bounds.limit, bounds.ageSeconds]);
}

const UNREADABLE =
  "the job's selection cannot be read: it is damaged or another release's; forget again what is left";

/**
 * A job whose selection cannot be read must not hold up the others, nor select anything: it shows as
 * failed, with no keys.
 */
function jobOf(row: Row): Job {
  const namespace = textIn(row, "namespace");
  const selection = selectionOf(row["selection"]);
  const state = stateOf(textIn(row, "state"));
  const isBroken = selection === undefined && state === "running";
  const error = isBroken ? UNREADABLE : optionalTextIn(row, "error");
  return {
    id: textIn(row, "id"),
    namespace,
    kind: "forget",
    selection: selection ?? { namespace, below: false, keys: [] },
    state: isBroken ? "failed" : state,
    forgotten: numberIn(row, "forgotten"),
    cursor: optionalTextIn(row, "cursor"),
    createdAtMs: exactMs(numberIn(row, "created_ms")),
    updatedAtMs: exactMs(numberIn(row, "updated_ms")),
    ...(error === undefined ? {} : { error }),
  };
}

const SELECTION_FIELDS: ReadonlySet<string> = new Set([
  "namespace",
  "below",
  "keys",
  "pattern",
  "metadataFilter",
  "tags",
]);

/**
 * Its filter and pattern are judged where they are used. A part that is not known may be one that
 * another release narrows it by: to pass over it would forget what nobody named.
 */
function selectionOf(value: unknown): Selection | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Object.keys(value).some((name) => !SELECTION_FIELDS.has(name))) return undefined;
  const { namespace, below, keys, pattern, tags } = value as { readonly [name: string]: unknown };
  const isOne =
    typeof namespace === "string" &&
    typeof below === "boolean" &&
    (keys === undefined || isTexts(keys)) &&
    (pattern === undefined || typeof pattern === "string") &&
    (tags === undefined || isTexts(tags));
  return isOne ? (value as Selection) : undefined;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((element) => typeof element === "string");
}

function stateOf(state: string): Job["state"] {
  if (state === "running" || state === "done" || state === "failed") return state;
  throw new MemoryError("INTERNAL", `a job is in the unknown state ${JSON.stringify(state)}`);
}
