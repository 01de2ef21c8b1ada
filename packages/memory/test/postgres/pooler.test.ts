import { afterAll, beforeAll, describe, test } from "vitest";
import { startPgBouncer } from "@cherry-ai/services";
import type { PgBouncer } from "@cherry-ai/services";
import { describeWithPgBouncer, sharedPostgresUrl, testDatabase } from "@cherry-ai/services/vitest";
import { authoritySuite, registerSuite } from "../../src/testing/index.ts";
import { openRig, pgDatabase } from "./support.ts";
import type { Rig } from "./support.ts";

/** Fewer than a test's writers, so that transactions of several share one session after another. */
const SERVER_CONNECTIONS = 4;

describeWithPgBouncer("through a pooler in transaction mode", () => {
  let bouncer: PgBouncer;
  let rig: Rig;
  beforeAll(async () => {
    const name = new URL(await testDatabase()).pathname.slice(1);
    const port = Number(new URL(sharedPostgresUrl()).port);
    bouncer = await startPgBouncer({ postgres: { port }, poolSize: SERVER_CONNECTIONS });
    rig = await openRig(pgDatabase(bouncer.url(name)));
  });
  afterAll(async () => {
    await rig?.authority.close();
    await bouncer?.stop();
  });
  registerSuite(
    authoritySuite("PostgresAuthority", async () => ({
      authority: rig.authority,
      close: async () => {},
    })),
    { describe, test },
  );
});
