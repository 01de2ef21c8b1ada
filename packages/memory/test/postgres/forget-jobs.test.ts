import { expect, test } from "vitest";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import type { Selection } from "../../src/tiers/authority.ts";
import type { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import { SCHEMA } from "../support/databases.ts";
import {
  describeBoth,
  keysOf,
  put,
  putStatement,
  searchOf,
  selectionOf,
  serverRig,
  untilBlocked,
  writeOne,
  writtenVersion,
} from "./support.ts";

async function finish(authority: PostgresAuthority, id: string): Promise<void> {
  let isRunning = true;
  while (isRunning) isRunning = (await authority.advanceJob(id, 7)).job.state === "running";
}

describeBoth("a forget job that cannot be read", (late) => {
  test.each(["1", "null", '{"bad":1}', '{"namespace":"jobs","below":false,"keys":1}'])(
    "is marked as failed and does not stop the others: %s",
    async (selection) => {
      const { authority, database } = late.rig;
      const jobs = [1, 2].map(() => authority.createJob(selectionOf("jobs", { pattern: "*" })));
      const [broken, sound] = await Promise.all(jobs);
      const text = `UPDATE ${SCHEMA}.jobs SET selection = $2::text::json WHERE id = $1`;
      await database.write({ text }, [broken?.id ?? "", selection]);
      const unfinished = await authority.unfinishedJobs(10);
      expect(unfinished.map((job) => job.id)).toEqual([sound?.id]);
      const rows = await database.query({
        text: `SELECT id FROM ${SCHEMA}.jobs WHERE state = 'running'`,
      });
      expect(rows).toEqual([{ id: sound?.id }]);
      await finish(authority, sound?.id ?? "");
      for (const shown of [
        await authority.readJob(broken?.id ?? ""),
        (await authority.advanceJob(broken?.id ?? "", 1)).job,
      ])
        expect(shown).toMatchObject({
          state: "failed",
          error: expect.stringContaining("selection"),
        });
    },
  );
});

describeWithPostgres("a forget job beside writers", () => {
  const late = serverRig();

  test.each<[string, Partial<Selection>]>([
    ["a search", { pattern: "k*" }],
    ["keys", { keys: ["k0", "k1", "k2"] }],
  ])("that waits for a newer write leaves its item alone, selecting by %s", async (name, part) => {
    const { rig } = late;
    const { authority } = rig;
    const namespace = `wait-${name}`;
    await authority.write(["k0", "k1", "k2"].map((key) => put(key, { namespace })));
    const { id } = await authority.createJob(selectionOf(namespace, part));
    const writer = await rig.connect();
    await writer.query("BEGIN");
    await writer.query(putStatement("k1", namespace));
    // It sees the old version, which it may forget, and waits for the row.
    const step = authority.advanceJob(id, 10);
    await untilBlocked(rig);
    await writer.query("COMMIT");
    const { job, chunk } = await step;
    expect(chunk.forgotten.map((item) => item.key)).toEqual(["k0", "k2"]);
    expect(job).toMatchObject({ state: "done", forgotten: 2 });
    expect(await keysOf(authority, searchOf(namespace))).toEqual(["k1"]);
  });

  test("takes all that was acknowledged before it was made, and nothing begun after", async () => {
    const { authority } = late.rig;
    const namespace = "storm";
    let isRunning = true;
    const acknowledged = new Map<string, number>();
    const writer = async (writerId: number): Promise<void> => {
      for (let n = 0; isRunning; n += 1) {
        const key = `k${writerId}-${n % 25}`;
        const [result] = await authority.write([put(key, { namespace })]);
        if (result?.status === "written") acknowledged.set(key, result.version);
      }
    };
    const writers = Promise.all([0, 1, 2, 3].map(writer));
    for (let round = 0; round < 10; round += 1) {
      const own = put(`own${round}`, { namespace });
      acknowledged.set(own.key, writtenVersion(await writeOne(authority, own)));
      const before = new Map(acknowledged);
      const { id } = await authority.createJob(selectionOf(namespace, { pattern: "*" }));
      const newest = Math.max(...before.values());
      await finish(authority, id);
      // What is there now was written again.
      const refs = [...before.keys()].map((key) => ({ namespace, key }));
      for (const record of await authority.getMany(refs))
        if (record !== undefined) expect(record.version).toBeGreaterThan(newest);
    }
    isRunning = false;
    await writers;
    // Written since the last job was made and acknowledged: all there.
    const { id } = await authority.createJob(selectionOf(namespace, { pattern: "*" }));
    const again = ["k0-0", "k1-1", "k2-2"].map((key) => put(key, { namespace }));
    await authority.write(again);
    await finish(authority, id);
    expect(await keysOf(authority, searchOf(namespace))).toEqual(["k0-0", "k1-1", "k2-2"]);
  });
});
