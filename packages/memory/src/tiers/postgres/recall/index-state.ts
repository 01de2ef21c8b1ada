import type { IndexLag } from "../../keyword.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { booleanIn, numberIn, onlyRow, optionalNumberIn, optionalTextIn } from "../columns.ts";
import type { Database, Queryable, Row, Statement } from "../database.ts";

/** The consumer of the change log that writes the postings. */
const WORDS = "words";

/** all: every item is read anew. changed: those whose version is indexed are left alone. */
export type Walk = "all" | "changed" | "documents";

export interface IndexState {
  /** Of a rebuild that is under way. */
  readonly walk: Walk | undefined;
  readonly position: number;
  /** The log does not reach back to the position any more: it must start again from the items. */
  readonly isLost: boolean;
  /** What its documents were read with, "" before there are any; undefined before there is an index. */
  readonly reader: string | undefined;
  readonly hasLeavings: boolean;
  readonly lag: IndexLag;
  /** The database's clock, milliseconds since the epoch. */
  readonly nowMs: number;
}

const IS_TRIMMED = `(SELECT m.value <> '0' FROM {{schema}}.meta m WHERE m.name = 'trimmed_id')`;

const READ_STATE: Statement = {
  name: "word_state",
  text: `SELECT c.position, coalesce(c.rebuild, ${IS_TRIMMED}) AS rebuild, w.reader, w.walk,
    date_part('epoch', clock_timestamp()) * 1000 AS now_ms,
    EXISTS (SELECT FROM {{schema}}.word_leavings) AS has_leavings,
    greatest(0, (SELECT coalesce(max(n.id), 0) FROM {{schema}}.changes n) - coalesce(c.position, 0))
      AS lag_changes,
    (SELECT date_part('epoch', clock_timestamp() - o.at) FROM {{schema}}.changes o
     WHERE o.id > coalesce(c.position, 0) ORDER BY o.id LIMIT 1) AS lag_seconds
    FROM (SELECT) AS one
    LEFT JOIN {{schema}}.consumers c ON c.name = '${WORDS}'
    LEFT JOIN {{schema}}.word_index w ON w.name = '${WORDS}'`,
};

const FOUND: readonly Statement[] = [
  {
    text: `INSERT INTO {{schema}}.word_index (name, reader) VALUES ('${WORDS}', '')
      ON CONFLICT DO NOTHING`,
  },
  {
    text: `INSERT INTO {{schema}}.consumers (name, position, rebuild)
      VALUES ('${WORDS}', 0, ${IS_TRIMMED}) ON CONFLICT DO NOTHING`,
  },
];

/**
 * A server that is stopped while it holds the row holds up whoever trims the log or forgets: PostgreSQL
 * ends its transaction when it has been silent for so long, longer than a step computes at a time.
 */
const SILENCE_MAX_MS = 3000;
const END_SILENCE = `set_config('idle_in_transaction_session_timeout', '${SILENCE_MAX_MS}', true)`;

const LOCK: Statement = {
  name: "word_lock",
  text: `SELECT ${END_SILENCE}, c.position, c.rebuild, w.reader, w.walk, w.walk_namespace, w.walk_key, w.walk_document
    FROM {{schema}}.consumers c JOIN {{schema}}.word_index w ON w.name = c.name
    WHERE c.name = '${WORDS}' FOR UPDATE SKIP LOCKED`,
};

const AWAIT_LOCK: Statement = {
  name: "word_await_lock",
  text: `SELECT ${END_SILENCE} FROM {{schema}}.consumers c WHERE c.name = '${WORDS}' FOR UPDATE`,
};

const MOVE: Statement = {
  name: "word_move",
  text: `UPDATE {{schema}}.consumers
    SET position = $1, rebuild = false, updated_at = clock_timestamp() WHERE name = '${WORDS}'`,
};

const SET_WALK: Statement = {
  name: "word_walk",
  text: `UPDATE {{schema}}.word_index
    SET reader = $1, walk = $2, walk_namespace = $3, walk_key = $4, walk_document = $5
    WHERE name = '${WORDS}'`,
};

export async function readIndexState(
  database: Queryable,
  schema: BoundSchema,
): Promise<IndexState> {
  const row = onlyRow(await database.query(schema.bind(READ_STATE)));
  const walk = walkIn(row);
  const isLost = booleanIn(row, "rebuild");
  return {
    walk,
    position: optionalNumberIn(row, "position") ?? 0,
    isLost,
    nowMs: numberIn(row, "now_ms"),
    reader: optionalTextIn(row, "reader"),
    hasLeavings: row["has_leavings"] === true,
    lag: {
      changes: numberIn(row, "lag_changes"),
      seconds: Math.max(0, optionalNumberIn(row, "lag_seconds") ?? 0),
      ...(isLost || walk !== undefined ? { rebuilding: true } : {}),
    },
  };
}

/**
 * Begins an index, at the start of the log where that still has all that ever happened. Harmless where
 * there is one.
 */
export async function foundIndex(database: Database, schema: BoundSchema): Promise<void> {
  for (const statement of FOUND) await database.write(schema.bind(statement));
}

/** How far a rebuild has come. */
export interface WalkPlace {
  readonly walk: Walk | undefined;
  readonly namespace: string;
  readonly key: string;
  readonly document: number;
}

export interface LockedIndex {
  readonly position: number;
  readonly isLost: boolean;
  readonly reader: string;
  readonly place: WalkPlace;
}

/** undefined: another server is at it. The lock is held until the transaction ends. */
export async function lockIndex(
  tx: Queryable,
  schema: BoundSchema,
): Promise<LockedIndex | undefined> {
  const [row] = await tx.query(schema.bind(LOCK));
  if (row === undefined) return undefined;
  return {
    position: numberIn(row, "position"),
    isLost: row["rebuild"] === true,
    reader: optionalTextIn(row, "reader") ?? "",
    place: {
      walk: walkIn(row),
      namespace: optionalTextIn(row, "walk_namespace") ?? "",
      key: optionalTextIn(row, "walk_key") ?? "",
      document: numberIn(row, "walk_document"),
    },
  };
}

/** Waits for whoever is at it. */
export async function awaitIndex(tx: Queryable, schema: BoundSchema): Promise<void> {
  await tx.query(schema.bind(AWAIT_LOCK));
}

export async function moveIndex(
  tx: Queryable,
  schema: BoundSchema,
  position: number,
): Promise<void> {
  await tx.query(schema.bind(MOVE), [position]);
}

export async function saveWalk(
  tx: Queryable,
  schema: BoundSchema,
  { reader, place }: { readonly reader: string; readonly place: WalkPlace },
): Promise<void> {
  const { walk, namespace, key, document } = place;
  await tx.query(schema.bind(SET_WALK), [reader, walk ?? null, namespace, key, document]);
}

function walkIn(row: Row): Walk | undefined {
  const walk = optionalTextIn(row, "walk");
  return walk === "all" || walk === "changed" || walk === "documents" ? walk : undefined;
}
