import { expect, test } from "vitest";
import { startPostgres } from "@cherry-ai/services";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import { openRig, pgDatabase, put, putStatement, serverRig, writeOne } from "./support.ts";

const NAMESPACE = "crash";

describeWithPostgres("a position of the change log", () => {
  const late = serverRig();

  test("is of a change that is there, not of one that was rolled back", async () => {
    const { authority, connect } = late.rig;
    await writeOne(authority, put("kept", { namespace: NAMESPACE }));
    const position = await authority.changePosition();
    const client = await connect();
    await client.query("BEGIN");
    await client.query(putStatement("undone", NAMESPACE));
    await client.query("ROLLBACK");
    expect(await authority.changePosition()).toBe(position);
    await writeOne(authority, put("next", { namespace: NAMESPACE }));
    expect(await authority.changePosition()).toBeGreaterThan(position);
  });
});

describeWithPostgres("PostgreSQL killed just after a write was rolled back", () => {
  test("skips nothing for who had read to the log's end", async () => {
    // Nothing is flushed but by commits: what was rolled back leaves no trace after the crash.
    const postgres = await startPostgres({ settings: { wal_writer_delay: "10s" } });
    try {
      const url = await postgres.databaseUrl("position");
      const before = await openRig(pgDatabase(url));
      await writeOne(before.authority, put("kept", { namespace: NAMESPACE }));
      // From here on a sequence writes its next number to the log again, not a block ahead.
      await before.database.query({ text: "CHECKPOINT" });
      // What reading alone writes to it, after a checkpoint, comes before.
      await before.authority.changePosition();
      const undone = before.database.transaction(async (tx) => {
        await tx.query({ text: putStatement("undone", NAMESPACE) });
        throw new Error("rolled back");
      });
      await expect(undone).rejects.toThrow("rolled back");
      const after = await before.authority.changePosition();
      await postgres.kill();
      await before.authority.close();
      await postgres.start();
      const { authority } = await openRig(pgDatabase(url));
      await writeOne(authority, put("next", { namespace: NAMESPACE }));
      const page = await authority.readChanges({
        namespace: NAMESPACE,
        below: false,
        after,
        limit: 9,
      });
      await authority.close();
      expect(page.changes.map(({ key }) => key)).toEqual(["next"]);
    } finally {
      await postgres.remove();
    }
  });
});
