import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { systemClock } from "../../src/model/clock.ts";
import { ItemReader } from "../../src/recall/indexing/document-reader.ts";
import { createAnalyser } from "../../src/recall/text/analyser.ts";
import { seededRandom } from "../../src/testing/index.ts";
import { SCHEMA, openAuthority, serverDatabase } from "../support/databases.ts";
import { WordModel, codec, idOf } from "../support/word-model.ts";
import { describeBoth, openRig, pgDatabase } from "./support.ts";

const WORDS = ["apple", "pear", "plum", "fig", "date", "lime"];
const QUERY = "apple fig";

function textOf(n: number): string {
  return Array.from({ length: 1 + (n % 7) }, (_, at) => WORDS[(n * (at + 3)) % WORDS.length]).join(
    " ",
  );
}

function puts(count: number, from = 0): { namespace: string; key: string; text: string }[] {
  return Array.from({ length: count }, (_, n) => ({
    namespace: `n/${n % 3}`,
    key: `k${from + n}`,
    text: textOf(from + n),
  }));
}

/** What is found below `n`, and every score, is what the reference says. */
async function expectExact(model: WordModel): Promise<void> {
  const { hits, statistics, lag, complete } = await model.search({
    namespace: "n",
    below: true,
    query: QUERY,
    limit: 100_000,
  });
  const expected = new Map(model.expected("n", true, QUERY));
  expect(hits.length).toBe(expected.size);
  for (const hit of hits)
    expect(Math.abs(hit.score - (expected.get(idOf(hit.namespace, hit.key)) ?? 0))).toBeLessThan(
      1e-6,
    );
  expect(statistics.documents).toBe(model.documentsIn("n", true).length);
  expect([lag, complete]).toEqual([undefined, true]);
}

/** Whatever is found is really there and says so. */
async function expectTrue(model: WordModel): Promise<boolean> {
  const { hits, lag } = await model.search({
    namespace: "n",
    below: true,
    query: QUERY,
    limit: 100_000,
  });
  const expected = new Map(model.expected("n", true, QUERY));
  for (const hit of hits) expect(expected.has(idOf(hit.namespace, hit.key))).toBe(true);
  return lag?.rebuilding === true;
}

describeBoth(
  "an index that the log has left behind",
  (late) => {
    test("is marked, lets go of the log, serves what is true, and is made again from the items", async () => {
      const model = new WordModel(late.rig.authority);
      await model.putMany(puts(60));
      await model.indexAll();
      for (let n = 0; n < 20; n += 1) await model.remove(`n/${n % 3}`, `k${n}`);
      await model.putMany(puts(90, 30));
      await model.authority.sweep(1000);
      expect(await model.authority.loadConsumer("words")).toBe(undefined);
      const [row] = await late.rig.database.query({
        text: `SELECT count(*) AS rows FROM cherry.changes`,
      });
      expect(row?.["rows"]).toBeLessThanOrEqual(11);
      expect(await expectTrue(model)).toBe(true);
      // Step by step, with writes between.
      for (let steps = 0; ; steps += 1) {
        const { status, lag } = await model.advance(7);
        if (status === "idle") break;
        await expectTrue(model);
        if (steps < 10) await model.put(`n/${steps % 3}`, `k${steps * 9}`, textOf(steps));
        expect(lag.changes).toBeLessThan(1_000);
      }
      await expectExact(model);
    });
  },
  { outboxMaxRows: 10, changeSeconds: 0 },
);

describeBoth("an index of another reader", (late) => {
  test("is made anew while it serves", async () => {
    const model = new WordModel(late.rig.authority);
    await model.putMany(puts(100));
    const english = new ItemReader({ codec, analyser: createAnalyser({ language: "en" }) });
    while ((await model.keywords.advance(english, { changes: 50 })).status !== "idle");
    expect(await expectTrue(model)).toBe(true);
    for (let steps = 0; ; steps += 1) {
      if ((await model.advance(9)).status === "idle") break;
      await expectTrue(model);
      if (steps < 5) await model.put("n/1", `k${steps}`, textOf(steps + 50));
    }
    await expectExact(model);
    // Who reads otherwise has had his turn, and leaves it alone now.
    expect((await model.keywords.advance(english, { changes: 50 })).status).toBe("idle");
    await expectExact(model);
  });
});

describeBoth("what was forgotten", (late) => {
  test("leaves no word in any table, before the log is read", async () => {
    const model = new WordModel(late.rig.authority);
    await model.putMany(puts(20));
    await model.put("n/0", "told", "apple xylophone quixotic");
    await model.put("n/0", "stays", "apple");
    await model.indexAll();
    const rows = async (): Promise<number> => {
      const text = `SELECT count(*) AS rows FROM (
        SELECT t::text AS said FROM cherry.word_postings t UNION ALL SELECT t::text FROM cherry.word_terms t
        UNION ALL SELECT t::text FROM cherry.word_documents t UNION ALL SELECT t::text FROM cherry.items t
      ) AS all_rows WHERE said ~ 'quixotic|xylophone|told'`;
      return Number((await late.rig.database.query({ text }))[0]?.["rows"]);
    };
    expect(await rows()).toBeGreaterThan(2);
    const keys = [
      { namespace: "n/0", key: "told" },
      { namespace: "n/0", key: "stays" },
    ];
    await model.remove("n/0", "told");
    await model.keywords.forget(keys);
    // Its tombstone, for as long as copies may live.
    expect(await rows()).toBe(1);
    await expectExact(model);
    await model.indexAll();
    await expectExact(model);
  });
});

describeWithPostgres("several indexers", () => {
  test("do each change once", async () => {
    const url = await testDatabase();
    const model = new WordModel((await openRig(pgDatabase(url))).authority);
    const others = [
      await openAuthority(serverDatabase(url)),
      await openAuthority(serverDatabase(url)),
    ];
    const models = [model, ...others.map((one) => new WordModel(one))];
    let writing = true;
    let documents = 0;
    const statuses = new Set<string>();
    const work = models.map(async (one) => {
      for (;;) {
        const step = await one.advance(5);
        documents += step.documents;
        statuses.add(step.status);
        if (!writing && step.status === "idle") return;
        if (step.status === "idle") await systemClock.sleep(1);
      }
    });
    for (let round = 0; round < 15; round += 1) await model.putMany(puts(20, round * 20));
    writing = false;
    await Promise.all(work);
    expect(documents).toBe(300);
    expect(statuses).toContain("busy");
    await expectExact(model);
    for (const one of [...others, model.authority]) await one.close();
  });

  test("that are killed in the midst of a step leave nothing of it behind", async () => {
    const url = await testDatabase();
    const { authority } = await openRig(pgDatabase(url));
    const model = new WordModel(authority);
    const random = seededRandom(3);
    const worker = fileURLToPath(new URL("../support/index-worker.ts", import.meta.url));
    for (let round = 0; round < 5; round += 1) {
      await model.putMany(puts(900, round * 500));
      const child = spawn(process.execPath, ["--conditions=@cherry-ai/source", worker, url], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const closed = once(child, "close");
      await once(child.stdout, "data");
      await systemClock.sleep(random() * 150);
      child.kill("SIGKILL");
      await closed;
      await expectExact(model);
      await model.indexAll();
      await expectExact(model);
    }
    await authority.close();
  });

  test("that are stopped in the midst of a step hold up the trimming of the log for seconds only", async () => {
    const url = await testDatabase();
    const { authority, database } = await openRig(pgDatabase(url));
    const model = new WordModel(authority);
    const worker = fileURLToPath(new URL("../support/index-worker.ts", import.meta.url));
    const held = `SELECT NOT EXISTS (SELECT FROM ${SCHEMA}.consumers FOR UPDATE SKIP LOCKED) AS held`;
    const lock = `SELECT FROM ${SCHEMA}.consumers FOR UPDATE`;
    await model.putMany(puts(900));
    await model.indexAll();
    const child = spawn(process.execPath, ["--conditions=@cherry-ai/source", worker, url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close");
    await once(child.stdout, "data");
    for (let from = 900; ; from += 300) {
      await model.putMany(puts(300, from));
      child.kill("SIGSTOP");
      const [row] = await database.query({ text: held });
      if (row?.["held"] === true) break;
      child.kill("SIGCONT");
    }
    // Waits until PostgreSQL has ended the other's transaction; for ever if it does not.
    await database.query({ text: lock });
    child.kill("SIGKILL");
    await closed;
    await model.indexAll();
    await expectExact(model);
    await authority.close();
  });
});
