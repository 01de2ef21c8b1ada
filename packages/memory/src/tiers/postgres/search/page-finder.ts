import type { ItemRecord, ItemRef } from "../../../model/item.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { booleanIn, numberIn, onlyRow } from "../columns.ts";
import type { Queryable, Row } from "../database.ts";
import { recordOf, refOf } from "../record-columns.ts";
import type { Criteria } from "./criteria.ts";
import { keyRangeFor } from "./criteria.ts";
import type { Position } from "./cursor.ts";
import { isIndexable } from "./filter-sql.ts";
import { isPassed, namespaceRanges } from "./namespace-range.ts";
import { candidatesStatement, walkStatement } from "./page-sql.ts";
import type { PageQuery } from "./page-sql.ts";

/** Rows that an index may give before its answer is given up and the namespace is walked instead. */
export const CANDIDATES_MAX = 10_000;
/** Rows of the primary key that one page may look at. */
export const WALKED_ROWS_MAX = 20_000;
/** Encoded bodies of one page, together. */
export const PAGE_BYTES_MAX: number = 32 * 1024 * 1024;

export type Access = "key-range" | "metadata-index" | "tag-index" | "namespace-walk";

/** A row that matched. `record` only where records were asked for. */
export interface Found {
  readonly ref: ItemRef;
  readonly version: number;
  readonly record: ItemRecord | undefined;
}

export interface FoundPage {
  readonly found: readonly Found[];
  /** Where to go on; undefined = nothing is left. */
  readonly next: Position | undefined;
  readonly examined: number;
  readonly bounded: boolean;
  readonly access: Access;
  readonly residual: readonly string[];
  /** The last statement, its placeholders unfilled. */
  readonly sql: string;
}

export interface FindRequest {
  readonly namespace: string;
  readonly below: boolean;
  readonly criteria: Criteria;
  readonly position: Position | undefined;
  readonly limit: number;
  readonly brings: "records" | "refs";
  readonly sentAtMs: number;
}

/** Rows of one statement. */
interface Answer {
  readonly found: readonly Found[];
  /** Where the statement stopped; undefined = at the end of the range. */
  readonly stoppedAt: ItemRef | undefined;
  /** It stopped for looking at enough, not for having found enough. */
  readonly bounded: boolean;
  readonly examined: number;
  readonly residual: readonly string[];
  readonly sql: string;
}

/** Finds one page of matches, in key order, in bounded work. */
export async function findPage(
  database: Queryable,
  schema: BoundSchema,
  request: FindRequest,
): Promise<FoundPage> {
  const found: Found[] = [];
  const answers: RangeAnswer[] = [];
  let walks = request.position?.walks ?? false;
  let after = request.position?.after;
  for (const range of namespaceRanges(request.namespace, request.below)) {
    if (isPassed(range, after)) continue;
    // One more than wanted tells whether there is a next page.
    const query = queryOf(request, {
      range,
      after,
      limit: request.limit + 1 - found.length,
      // Of what is left at least one item comes: a statement that brings none would be the end.
      bytesMax: Math.max(1, PAGE_BYTES_MAX - bytesOf(found)),
    });
    const answer = await findInRange(database, schema, { query, request, walks });
    answers.push(answer);
    found.push(...answer.found);
    ({ walks } = answer);
    if (found.length > request.limit || answer.stoppedAt !== undefined) break;
    after = undefined;
  }
  return pageOf(request, found, answers);
}

function queryOf(
  request: FindRequest,
  part: Pick<PageQuery, "range" | "after" | "limit" | "bytesMax">,
): PageQuery {
  const { criteria, brings } = request;
  return { criteria, brings, examinedMax: CANDIDATES_MAX, ...part };
}

function bytesOf(found: readonly Found[]): number {
  return found.reduce((sum, { record }) => sum + (record?.body.byteLength ?? 0), 0);
}

function pageOf(
  request: FindRequest,
  found: readonly Found[],
  answers: readonly RangeAnswer[],
): FoundPage {
  const last = answers.at(-1);
  const isMore = found.length > request.limit;
  const page = found.slice(0, request.limit);
  const stoppedAt = isMore ? page.at(-1)?.ref : last?.stoppedAt;
  return {
    found: page,
    next: stoppedAt === undefined ? undefined : { after: stoppedAt, walks: last?.walks ?? false },
    examined: answers.reduce((sum, answer) => sum + answer.examined, 0),
    bounded: !isMore && last?.bounded === true,
    access: answers[0]?.access ?? "namespace-walk",
    residual: last?.residual ?? [],
    sql: last?.sql ?? "",
  };
}

interface RangeAnswer extends Answer {
  readonly access: Access;
  /** The index gave too many candidates, now or on an earlier page. */
  readonly walks: boolean;
}

/** By an index where one helps and its answer is small enough, else straight along the keys. */
async function findInRange(
  database: Queryable,
  schema: BoundSchema,
  step: Step & { readonly walks: boolean },
): Promise<RangeAnswer> {
  const { criteria, range } = step.query;
  const indexed = step.walks ? undefined : await fromIndex(database, schema, step);
  if (indexed !== undefined && indexed !== "too many")
    return {
      ...indexed,
      access:
        criteria.filter !== undefined && isIndexable(criteria.filter)
          ? "metadata-index"
          : "tag-index",
      walks: false,
    };
  const walked = await fromKeys(database, schema, step);
  const isRange = range.kind === "one" && keyRangeFor(criteria) !== undefined;
  return {
    ...walked,
    access: isRange ? "key-range" : "namespace-walk",
    walks: step.walks || indexed === "too many",
  };
}

interface Step {
  readonly query: PageQuery;
  readonly request: FindRequest;
}

async function fromIndex(
  database: Queryable,
  schema: BoundSchema,
  { query, request }: Step,
): Promise<Answer | "too many" | undefined> {
  const page = candidatesStatement(query);
  if (page === undefined) return undefined;
  const sql = schema.text(page.statement.text);
  const rows = await database.query({ text: sql }, page.values);
  const examined = numberIn(onlyRow(rows), "examined");
  if (examined > query.examinedMax) return "too many";
  const found = foundIn(rows, request);
  const isCut = numberIn(onlyRow(rows), "row_count") > found.length;
  const stoppedAt = isCut ? found.at(-1)?.ref : undefined;
  return { found, stoppedAt, bounded: isCut, examined, residual: page.residual, sql };
}

async function fromKeys(
  database: Queryable,
  schema: BoundSchema,
  { query, request }: Step,
): Promise<Answer> {
  const page = walkStatement({ ...query, examinedMax: WALKED_ROWS_MAX });
  const sql = schema.text(page.statement.text);
  const rows = await database.query({ text: sql }, page.values);
  const examined = numberIn(onlyRow(rows), "examined");
  const found = foundIn(rows, request);
  const lastRow = rows.at(-1);
  const isCut = numberIn(onlyRow(rows), "row_count") > countRows(rows);
  const isAtBound = examined === WALKED_ROWS_MAX;
  const stoppedAt =
    lastRow !== undefined && (isCut || isAtBound) && lastRow["key"] !== null
      ? refOf(lastRow)
      : undefined;
  return {
    found,
    stoppedAt,
    bounded: isCut || isAtBound,
    examined,
    residual: page.residual,
    sql,
  };
}

function countRows(rows: readonly Row[]): number {
  return rows.filter((row) => row["key"] !== null).length;
}

function foundIn(rows: readonly Row[], request: FindRequest): readonly Found[] {
  const found: Found[] = [];
  for (const row of rows) {
    if (row["key"] === null || !booleanIn(row, "matches")) continue;
    const ref = refOf(row);
    const record = request.brings === "records" ? recordOf(row, ref, request.sentAtMs) : undefined;
    found.push({ ref, version: numberIn(row, "version"), record });
  }
  return found;
}
