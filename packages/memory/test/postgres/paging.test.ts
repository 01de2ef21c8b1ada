import { expect, test } from "vitest";
import type { ItemRef } from "../../src/model/item.ts";
import { SCHEMA } from "../support/databases.ts";
import { describeBoth, put, searchOf, selectionOf, writeOne } from "./support.ts";

const STABLE = Array.from({ length: 200 }, (_, n) => `s${String(n).padStart(3, "0")}`);

describeBoth("pages", (late) => {
  test("give each item once while other keys come and go", async () => {
    const { authority } = late.rig;
    const namespace = "paging";
    const stable = STABLE.map((key) => put(key, { namespace, metadata: { m: 1 }, tags: ["t"] }));
    await authority.write(stable);
    let round = 0;
    for (const facts of [{}, { metadataFilter: { m: 1 } }, { tags: ["t"] }, { pattern: "s*" }]) {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await authority.search(searchOf(namespace, { ...facts, limit: 17, cursor }));
        found.push(...page.records.map((record) => record.key));
        cursor = page.nextCursor;
        const churn = STABLE.filter((_, n) => n % 7 === round % 7).map((key) => `${key}-x`);
        await authority.write(
          churn.map((key) =>
            round % 2 === 0
              ? put(key, { namespace, metadata: { m: 1 }, tags: ["t"] })
              : { kind: "remove" as const, namespace, key },
          ),
        );
        round += 1;
      } while (cursor !== undefined);
      const counted = found.filter((key) => !key.endsWith("-x"));
      expect(counted, JSON.stringify(facts)).toEqual(STABLE);
      expect(new Set(found).size).toBe(found.length);
    }
  });

  test("end before the caller's measure of their bodies is exceeded, with one item at least", async () => {
    const { authority } = late.rig;
    const namespace = "measured";
    const sizes = [4, 4, 3, 25, 2, 9, 1, 1];
    await authority.write(
      sizes.map((size, n) => put(`m${n}`, { namespace, body: Buffer.of(size), tags: ["t"] })),
    );
    const bytesOf = ([size = 0]: Uint8Array): number => {
      if (size === 9) throw new Error("damaged");
      return size;
    };
    for (const facts of [{}, { tags: ["t"] }, { limit: 3 }]) {
      const pages: number[][] = [];
      let cursor: string | undefined;
      do {
        const measure = { bytesOf, bytesMax: 10 };
        const page = await authority.search(searchOf(namespace, { ...facts, cursor, measure }));
        pages.push(page.records.map(({ body }) => body[0] ?? 0));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      const last = "limit" in facts ? [[2, 9, 1], [1]] : [[2, 9, 1, 1]];
      expect(pages, JSON.stringify(facts)).toEqual([[4, 4], [3], [25], ...last]);
    }
  });

  test("end early when the bodies become too many bytes, and lose none", async () => {
    const { authority } = late.rig;
    const namespace = "heavy";
    const body = Buffer.alloc(1024 * 1024, 1);
    const keys = Array.from({ length: 40 }, (_, n) => `h${String(n).padStart(2, "0")}`);
    for (const key of keys)
      await writeOne(authority, put(key, { namespace, body, metadata: { m: 1 } }));
    for (const facts of [{}, { metadataFilter: { m: 1 } }]) {
      const found: string[] = [];
      let pages = 0;
      let cursor: string | undefined;
      do {
        const request = searchOf(namespace, { ...facts, cursor, explain: true });
        const page = await authority.search(request);
        if (page.nextCursor !== undefined) expect(page.plan?.bounded).toBe(true);
        found.push(...page.records.map((record) => record.key));
        pages += 1;
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(found).toEqual(keys);
      expect(pages).toBe(2);
    }
    const exported: string[] = [];
    const lengths: number[] = [];
    let after: ItemRef | undefined;
    do {
      const page = await authority.exportPage({ namespace, below: false, after, limit: 100 });
      exported.push(...page.map((record) => record.key));
      lengths.push(page.length);
      after = page.at(-1);
    } while (after !== undefined);
    expect(exported).toEqual(keys);
    expect(lengths).toEqual([32, 8, 0]);
  });

  test("are bounded in bytes over a namespace and those below it together", async () => {
    const { authority } = late.rig;
    const body = Buffer.alloc(1024 * 1024, 1);
    for (const namespace of ["heavy-tree", "heavy-tree/x"])
      for (let n = 0; n < 20; n += 1) await writeOne(authority, put(`k${n}`, { namespace, body }));
    const all = { namespace: "heavy-tree", below: true, after: undefined, limit: 100 };
    expect((await authority.exportPage(all)).length).toBe(32);
    const page = await authority.search(searchOf("heavy-tree", { below: true, explain: true }));
    expect(page.records.length).toBe(32);
    expect(page.plan?.bounded).toBe(true);
  });

  test("of an export are found behind any number of removed items", async () => {
    const { authority, database } = late.rig;
    const namespace = "graves";
    await database.query({
      text: `INSERT INTO ${SCHEMA}.items (namespace, key, version, created_at, updated_at, deleted_at)
             SELECT '${namespace}', 'g' || n, nextval('${SCHEMA}.versions'), now(), now(), now()
             FROM generate_series(1, 45000) AS n`,
    });
    await writeOne(authority, put("last", { namespace }));
    const page = await authority.exportPage({
      namespace,
      below: false,
      after: undefined,
      limit: 5,
    });
    expect(page.map((record) => record.key)).toEqual(["last"]);
  });

  test("are no bound on how many items are read by key at once", async () => {
    const { authority } = late.rig;
    const namespace = "many";
    await authority.write(STABLE.map((key) => put(key, { namespace })));
    const refs = Array.from({ length: 2500 }, (_, n) => ({
      namespace,
      key: STABLE[n % 211] ?? "none",
    }));
    const records = await authority.getMany(refs);
    expect(records.map((record) => record?.key ?? "none")).toEqual(refs.map((ref) => ref.key));
  });

  test("a cursor serves its own request only", async () => {
    const { authority } = late.rig;
    const namespace = "bound";
    await authority.write(["a", "b", "c"].map((key) => put(key, { namespace, tags: ["t"] })));
    const { nextCursor } = await authority.search(searchOf(namespace, { limit: 1 }));
    for (const facts of [
      { tags: ["t"] },
      { pattern: "*" },
      { below: true },
      { metadataFilter: {} },
    ]) {
      const other = authority.search(searchOf(namespace, { ...facts, cursor: nextCursor }));
      await expect(other).rejects.toMatchObject({ code: "INVALID_CURSOR", field: "cursor" });
    }
    const page = await authority.search(searchOf(namespace, { limit: 2, cursor: nextCursor }));
    expect(page.records.map((record) => record.key)).toEqual(["b", "c"]);
  });
});

describeBoth("forgetting", (late) => {
  test("takes what matches when its turn comes, in chunks, and no more", async () => {
    const { authority } = late.rig;
    const namespace = "forget";
    await authority.write(
      STABLE.map((key, n) =>
        put(key, { namespace, metadata: { third: n % 3 }, tags: [`t${n % 2}`] }),
      ),
    );
    const selection = selectionOf(namespace, { metadataFilter: { third: 1 }, tags: ["t1"] });
    const expected = STABLE.filter((_, n) => n % 3 === 1 && n % 2 === 1);
    const listed = await authority.forgetChunk(selection, {
      limit: 500,
      after: undefined,
      dryRun: true,
    });
    expect(listed.forgotten.map((item) => item.key)).toEqual(expected);
    const forgotten: string[] = [];
    let after: string | undefined;
    do {
      const chunk = await authority.forgetChunk(selection, { limit: 7, after, dryRun: false });
      expect(chunk.forgotten.length).toBeLessThanOrEqual(7);
      forgotten.push(...chunk.forgotten.map((item) => item.key));
      after = chunk.next;
    } while (after !== undefined);
    expect(forgotten).toEqual(expected);
    const rest = await authority.search(searchOf(namespace));
    expect(rest.records.length).toBe(STABLE.length - expected.length);
  });

  test("goes on after its server died within a chunk, and counts each item once", async () => {
    const { authority, database } = late.rig;
    const namespace = "crash";
    await authority.write(STABLE.map((key) => put(key, { namespace })));
    const job = await authority.createJob(selectionOf(namespace, { pattern: "s*" }));
    await authority.advanceJob(job.id, 30);
    // A chunk that is done but whose transaction never commits: what a crash leaves.
    const crash = database.transaction(async (tx) => {
      await tx.query({ text: "SELECT cherry.begin_write()" });
      await tx.query({ text: "SELECT FROM cherry.jobs WHERE id = $1 FOR UPDATE" }, [job.id]);
      await tx.query({ text: "UPDATE cherry.jobs SET forgotten = 999 WHERE id = $1" }, [job.id]);
      throw new Error("crash");
    });
    await expect(crash).rejects.toThrow("crash");
    expect((await authority.readJob(job.id))?.forgotten).toBe(30);
    const unfinished = await authority.unfinishedJobs(100);
    expect(unfinished.map((one) => one.id)).toContain(job.id);
    const servers = await Promise.all(
      [0, 1, 2].map(async () => {
        let forgotten = 0;
        for (;;) {
          const step = await authority.advanceJob(job.id, 30);
          forgotten += step.chunk.forgotten.length;
          if (step.job.state !== "running") return forgotten;
        }
      }),
    );
    expect(servers.reduce((sum, count) => sum + count, 30)).toBe(STABLE.length);
    const done = await authority.readJob(job.id);
    expect(done).toMatchObject({ state: "done", forgotten: STABLE.length });
    expect((await authority.search(searchOf(namespace))).records).toEqual([]);
  });

  test("a job that cannot be run says why and is not tried for ever", async () => {
    const { authority } = late.rig;
    const broken = selectionOf("broken", { metadataFilter: { $no: 1 } });
    const job = await authority.createJob(broken);
    await expect(authority.advanceJob(job.id, 10)).rejects.toMatchObject({
      code: "INVALID_FILTER",
    });
    const failed = await authority.readJob(job.id);
    expect(failed?.state).toBe("failed");
    expect(failed?.error).toContain("$no");
    await expect(authority.advanceJob("nothing", 10)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
