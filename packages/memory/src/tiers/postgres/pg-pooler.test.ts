import { expect, test } from "vitest";
import { startPgBouncer } from "@cherry-ai/services";
import { describeWithPgBouncer, sharedPostgresUrl, testDatabase } from "@cherry-ai/services/vitest";
import { systemClock } from "../../model/clock.ts";
import { seededRandom } from "../../testing/seeded-random.ts";
import { PgDatabase } from "./pg-database.ts";

const CALLS = 400;

describeWithPgBouncer("PgDatabase through PgBouncer in transaction mode", () => {
  test("named statements from many connections over two server connections all answer right", async () => {
    const name = new URL(await testDatabase()).pathname.slice(1);
    const port = Number(new URL(sharedPostgresUrl()).port);
    const bouncer = await startPgBouncer({ postgres: { port }, poolSize: 2 });
    const open = (): PgDatabase =>
      new PgDatabase({
        url: bouncer.url(name),
        poolMax: 6,
        clock: systemClock,
        random: seededRandom(1),
      });
    const servers = [open(), open()];
    await servers[0]?.script("CREATE TABLE tally (n int)");
    const calls = servers.flatMap((server, which) =>
      Array.from({ length: CALLS }, async (_, index) => {
        // The same name with another text on each server: two releases behind one pooler.
        const nth = index % 5;
        const text = `SELECT ${which * 100 + nth} + $1::int AS n`;
        const rows = await server.query({ name: `nth_${nth}`, text }, [index]);
        expect(rows).toEqual([{ n: which * 100 + nth + index }]);
        if (index % 20 === 0) {
          await server.write({ name: "tally", text: "INSERT INTO tally VALUES ($1)" }, [index]);
          await server.transaction((tx) =>
            tx.query({ name: "tally", text: "INSERT INTO tally VALUES ($1)" }, [index]),
          );
        }
      }),
    );
    await Promise.all(calls);
    const rows = await servers[0]?.query({ text: "SELECT count(*) AS n FROM tally" });
    expect(rows).toEqual([{ n: (2 * 2 * CALLS) / 20 }]);
    await Promise.all(servers.map((server) => server.close()));
    await bouncer.stop();
  });
});
