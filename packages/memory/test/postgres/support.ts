import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { systemClock } from "../../src/model/clock.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { seededRandom } from "../../src/testing/index.ts";
import type {
  PutOperation,
  SearchRequest,
  Selection,
  WriteOperation,
  WriteResult,
} from "../../src/tiers/authority.ts";
import { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import type { Database } from "../../src/tiers/postgres/database.ts";
import { PgDatabase } from "../../src/tiers/postgres/pg-database.ts";
import type { Retention } from "../../src/tiers/postgres/retention.ts";
import { SCHEMA, embeddedDatabase } from "../support/databases.ts";

/** An authority over a database of its own, and what tests need beside it. */
export interface Rig {
  readonly authority: PostgresAuthority;
  readonly database: Database;
}

/** Filled before the first test. */
export interface LateRig {
  readonly rig: Rig;
}

export async function openRig(
  database: Database,
  retention: Partial<Retention> = {},
): Promise<Rig> {
  const authority = new PostgresAuthority({
    database,
    schema: SCHEMA,
    clock: systemClock,
    limits: DEFAULT_LIMITS,
    retention,
  });
  await authority.initialize();
  return { authority, database };
}

export function pgDatabase(url: string, poolMax = 20): PgDatabase {
  return new PgDatabase({ url, poolMax, clock: systemClock, random: seededRandom(7) });
}

/** Runs the tests over both: each gets a rig that its tests share. `server`: see serverRig. */
export function describeBoth(
  name: string,
  body: (late: LateRig) => void,
  retention: Partial<Retention> = {},
  server: () => Promise<string> = testDatabase,
): void {
  const over = (database: () => Promise<Database>): void => {
    const late: { rig: Rig } = { rig: undefined as unknown as Rig };
    beforeAll(async () => {
      late.rig = await openRig(await database(), retention);
    });
    afterAll(() => late.rig?.authority.close());
    body(late);
  };
  describe(`${name}, embedded`, () => over(async () => embeddedDatabase()));
  describeWithPostgres(`${name}, server`, () => over(async () => pgDatabase(await server())));
}

/** A server's authority with connections of one's own beside it, for interleavings. */
export interface ServerRig extends Rig {
  readonly url: string;
  /** A new connection whose statements the test times itself. */
  connect(): Promise<pg.Client>;
}

/** `database`: makes an empty one; else it is on the run's server. */
export function serverRig(
  retention: Partial<Retention> = {},
  database: () => Promise<string> = testDatabase,
): { readonly rig: ServerRig } {
  const late: { rig: ServerRig } = { rig: undefined as unknown as ServerRig };
  const clients: pg.Client[] = [];
  beforeAll(async () => {
    const url = await database();
    const connect = async (): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      clients.push(client);
      return client;
    };
    late.rig = { ...(await openRig(pgDatabase(url), retention)), url, connect };
  });
  afterAll(async () => {
    for (const client of clients) await client.end();
    await late.rig?.authority.close();
  });
  return late;
}

export function put(key: string, facts: Partial<PutOperation> = {}): PutOperation {
  return {
    kind: "put",
    namespace: "n",
    key,
    body: Buffer.from(key),
    metadata: {},
    tags: [],
    ttlSeconds: undefined,
    ...facts,
  };
}

/** One put in a transaction that the test ends. */
export function putStatement(key: string, namespace: string): string {
  return `SELECT ${SCHEMA}.write_items(NULL, ARRAY['${namespace}'], ARRAY['${key}'], ARRAY[''::bytea],
    ARRAY['{}'], ARRAY['{}'], NULL, ARRAY[NULL]::float8[], ARRAY[NULL]::float8[], NULL, 'report',
    NULL, NULL, NULL)`;
}

export function writtenVersion(result: WriteResult | undefined): number {
  if (result?.status !== "written") throw new Error(`expected written: ${JSON.stringify(result)}`);
  return result.version;
}

export async function writeOne(
  authority: PostgresAuthority,
  operation: WriteOperation,
): Promise<WriteResult> {
  const [result] = await authority.write([operation]);
  if (result === undefined) throw new Error("no result");
  return result;
}

export function searchOf(namespace: string, facts: Partial<SearchRequest> = {}): SearchRequest {
  return {
    namespace,
    below: false,
    pattern: undefined,
    metadataFilter: undefined,
    tags: [],
    limit: 1000,
    cursor: undefined,
    explain: false,
    ...facts,
  };
}

export async function keysOf(
  authority: PostgresAuthority,
  request: SearchRequest,
): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await authority.search({ ...request, cursor });
    keys.push(...page.records.map((record) => record.key));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return keys;
}

export function selectionOf(namespace: string, facts: Partial<Selection> = {}): Selection {
  return { namespace, below: false, ...facts };
}

/** Waits until so many statements of the rig's database wait for a lock. */
export async function untilBlocked(rig: Rig, waiting = 1): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    const [row] = await rig.database.query({
      text: `SELECT count(*) AS count FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    });
    if (Number(row?.["count"]) >= waiting) return;
  }
  throw new Error("nothing came to wait for a lock");
}
