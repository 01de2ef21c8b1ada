import type { Clock } from "../../model/clock.ts";
import type { BoundSchema } from "../postgres/bound-schema.ts";
import type { Database } from "../postgres/database.ts";

/** What every part of the tier works with. The database is the authority's: it opens and closes it. */
export interface PgvectorContext {
  readonly database: Database;
  readonly schema: BoundSchema;
  readonly clock: Clock;
}
