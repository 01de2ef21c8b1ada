import assert from "node:assert/strict";
import type { Selection } from "../../tiers/authority.ts";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { authorityCase } from "./fixture.ts";
import type { AuthorityFixture, AuthorityMaker } from "./fixture.ts";

/** The form of an id, and nobody's. */
const NO_JOB = "00000000-0000-4000-8000-000000000000";

/** Runs a job to its end; resolves to what it counts as forgotten. */
async function finish(f: AuthorityFixture, id: string): Promise<number> {
  for (let steps = 0; steps < 1_000; steps += 1) {
    const { job } = await f.authority.advanceJob(id, 2);
    if (job.state === "done") return job.forgotten;
  }
  return assert.fail("the job did not end");
}

/** Jobs that forget. */
export function jobCases(maker: AuthorityMaker): SuiteCase[] {
  return [
    authorityCase(maker, "a job forgets chunk by chunk and says how far it is", async (f) => {
      await f.authority.write(Array.from({ length: 25 }, (_, n) => f.putOperation(`k${n}`)));
      await f.put("stays");
      const job = await f.authority.createJob(f.selection({ pattern: "k*" }));
      assert.equal(job.state, "running");
      assert.equal((await f.authority.readJob(job.id))?.forgotten, 0);
      const waiting = await f.authority.unfinishedJobs(1000);
      assert.ok(waiting.some(({ id }) => id === job.id));
      let forgotten = 0;
      for (let steps = 0; steps < 100; steps += 1) {
        const step = await f.authority.advanceJob(job.id, 10);
        forgotten += step.chunk.forgotten.length;
        assert.equal(step.job.forgotten, forgotten);
        if (step.job.state === "done") break;
      }
      assert.equal(forgotten, 25);
      assert.deepEqual(await f.keys(), ["stays"]);
      const done = await f.authority.readJob(job.id);
      assert.deepEqual([done?.state, done?.forgotten], ["done", 25]);
      assert.ok(!(await f.authority.unfinishedJobs(1000)).some(({ id }) => id === job.id));
    }),
    authorityCase(
      maker,
      "an id that no job can have is answered as one that none has",
      async (f) => {
        for (const id of [NO_JOB, "no such job", "", "\0", "\ud800", "x".repeat(10_000)]) {
          assert.equal(await f.authority.readJob(id), undefined, id);
          const error = await expectCode("NOT_FOUND", () => f.authority.advanceJob(id, 10), id);
          assert.ok(error.message.length < 200, error.message);
        }
      },
    ),
    authorityCase(maker, "a job leaves alone what is written after it was made", async (f) => {
      const selections: Partial<Selection>[] = [
        { pattern: "k*" },
        { tags: ["t"], metadataFilter: { n: 1 } },
        { keys: ["k0", "k1", "k2", "k3", "k4", "k5", "new"] },
      ];
      for (const part of selections) {
        const facts = { tags: ["t"], metadata: { n: 1 } };
        for (let n = 0; n < 6; n += 1) await f.put(`k${n}`, facts);
        const { id } = await f.authority.createJob(f.selection(part));
        // The job is at none of them yet, then past the first two.
        await f.put("k1", facts);
        await f.put("k5", facts);
        await f.authority.advanceJob(id, 2);
        await f.put("k0", facts);
        await f.put("k3", facts);
        await f.put("new", facts);
        assert.equal(await finish(f, id), 3, JSON.stringify(part));
        assert.deepEqual(await f.keys(), ["k0", "k1", "k3", "k5", "new"], JSON.stringify(part));
      }
    }),
    authorityCase(maker, "a job goes on where its maker stopped and counts on", async (f) => {
      // Members that a database may put into another order: the place is bound to the selection.
      const metadata = { longer: 1, b: 1, a: 1 };
      const keys = Array.from({ length: 9 }, (_, n) => `k${n}`);
      for (const part of [{ metadataFilter: metadata, pattern: "k*" }, { keys }]) {
        for (const key of keys) await f.put(key, { metadata });
        const selection = f.selection(part);
        const options = { limit: 4, after: undefined, dryRun: false };
        const { next, forgotten } = await f.authority.forgetChunk(selection, options);
        assert.equal(forgotten.length, 4);
        // Alive again, behind the place: were the job to begin at the beginning, it would be gone.
        await f.put("k2", { metadata });
        const progress = { after: next, forgotten: forgotten.length };
        const job = await f.authority.createJob(selection, progress);
        assert.deepEqual([job.state, job.forgotten, job.cursor], ["running", 4, next]);
        assert.equal(await finish(f, job.id), 9);
        assert.deepEqual(await f.keys(), ["k2"]);
      }
    }),
    authorityCase(maker, "a job is not made with the place of another selection", async (f) => {
      for (const key of ["k0", "k1", "k2"]) await f.put(key);
      const options = { limit: 1, after: undefined, dryRun: true };
      const { next } = await f.authority.forgetChunk(f.selection({ pattern: "k*" }), options);
      const progress = { after: next, forgotten: 1 };
      const make = (): Promise<unknown> => f.authority.createJob(f.selection({}), progress);
      await expectCode("INVALID_CURSOR", make);
    }),
    authorityCase(maker, "one job advanced by several servers counts each item once", async (f) => {
      await f.authority.write(Array.from({ length: 60 }, (_, n) => f.putOperation(`k${n}`)));
      const { id } = await f.authority.createJob(f.selection({ pattern: "*" }));
      const server = async (): Promise<void> => {
        for (let steps = 0; steps < 100; steps += 1)
          if ((await f.authority.advanceJob(id, 7)).job.state === "done") return;
      };
      await Promise.all([server(), server(), server()]);
      assert.equal((await f.authority.readJob(id))?.forgotten, 60);
      assert.deepEqual(await f.keys(), []);
    }),
  ];
}
