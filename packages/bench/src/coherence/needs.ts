import type { Context } from "../suite.ts";

/** Where a case finds its servers. */
export interface Servers {
  readonly databaseUrl: string;
  /** Empty: without Redis, the change log alone is the bus. */
  readonly redisUrl: string;
}

/** A new database, and Redis where it is wanted. Throws, saying why, where one cannot be had. */
export async function serversFor(
  context: Context,
  name: string,
  options: { readonly redis: boolean },
): Promise<Servers> {
  const { databaseMissing, redisMissing } = context;
  if (databaseMissing !== undefined) throw new Error(`needs a real PostgreSQL: ${databaseMissing}`);
  if (options.redis && redisMissing !== undefined)
    throw new Error(`needs a real Redis: ${redisMissing}`);
  return {
    databaseUrl: await context.database(name),
    redisUrl: options.redis ? await context.redis() : "",
  };
}
