import assert from "node:assert/strict";
import type { FollowState } from "../../tiers/authority.ts";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { authorityCase } from "./fixture.ts";
import type { AuthorityMaker } from "./fixture.ts";

/** The change log, its followers and consumers, and the sweep. */
export function changeCases(maker: AuthorityMaker): SuiteCase[] {
  return [
    authorityCase(maker, "every change is in the log, in order, and nothing else", async (f) => {
      const start = await f.authority.changePosition();
      const put = await f.put("a");
      await f.one(f.touchOperation("a", 500));
      await f.one(f.putOperation("a", { condition: "absent" }));
      await f.one(f.removeOperation("a"));
      await f.put("b", { namespace: `${f.namespace}/x` });
      // All four first: of the three nothing is on its way then, and nothing else may come.
      assert.equal((await f.changesFrom(start, 4, { below: true })).length, 4);
      const changes = await f.changesFrom(start, 3);
      assert.deepEqual(
        changes.map(({ op, key }) => [op, key]),
        [
          ["put", "a"],
          ["touch", "a"],
          ["remove", "a"],
        ],
      );
      const page = await f.authority.readChanges({ ...f.selection(), after: start, limit: 1 });
      assert.equal(page.changes[0]?.version, put.version);
    }),
    authorityCase(maker, "the log is read in pages from a position", async (f) => {
      const start = await f.authority.changePosition();
      for (let n = 0; n < 7; n += 1) await f.put(`k${n}`);
      await f.changesFrom(start, 7);
      const seen: string[] = [];
      let position = start;
      for (let page = 0; page < 50; page += 1) {
        const read = await f.authority.readChanges({ ...f.selection(), after: position, limit: 3 });
        assert.ok(read.changes.length <= 3);
        assert.ok(read.position >= position);
        seen.push(...read.changes.map((change) => change.key));
        if (read.changes.length === 0) break;
        position = read.position;
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 7 }, (_, n) => `k${n}`),
      );
    }),
    authorityCase(maker, "a position that the log never had is refused", async (f) => {
      await f.put("k");
      const read = (after: number): Promise<unknown> =>
        f.authority.readChanges({ ...f.selection(), after, limit: 10 });
      const now = await f.authority.changePosition();
      await read(now);
      for (const after of [now + 1_000_000_000, Number.MAX_SAFE_INTEGER]) {
        const error = await expectCode("CURSOR_EXPIRED", () => read(after), String(after));
        assert.equal(error.field, "after");
      }
      for (const after of [2 ** 53, -1, 1.5, Number.NaN, Infinity]) {
        const error = await expectCode("INVALID_ARGUMENT", () => read(after), String(after));
        assert.equal(error.field, "after");
      }
    }),
    authorityCase(maker, "a page of the log has 1 to 1000 changes", async (f) => {
      const read = (limit: number): Promise<unknown> =>
        f.authority.readChanges({ ...f.selection(), after: 0, limit });
      await read(1);
      await read(1000);
      for (const limit of [0, -1, 1001, 1.5, Number.NaN]) {
        const error = await expectCode("INVALID_ARGUMENT", () => read(limit), String(limit));
        assert.equal(error.field, "limit");
      }
    }),
    authorityCase(maker, "a follower is told of every change with its version", async (f) => {
      const first = await f.authority.follow(undefined);
      let state: FollowState = first.state;
      const newest = new Map<string, number>();
      const poll = async (): Promise<void> => {
        const answer = await f.authority.follow(state);
        assert.equal(answer.gap, false);
        assert.equal(answer.epoch, first.epoch);
        assert.ok(answer.sentAtMs >= first.sentAtMs);
        for (const change of answer.changes)
          if (change.namespace === f.namespace)
            newest.set(change.key, Math.max(newest.get(change.key) ?? 0, change.version));
        state = answer.state;
      };
      const a = await f.put("a");
      await poll();
      assert.equal(newest.get("a"), a.version);
      const b = await f.put("b");
      const removed = await f.one(f.removeOperation("a"));
      await poll();
      assert.equal(newest.get("b"), b.version);
      assert.equal(newest.get("a"), removed.status === "written" ? removed.version : undefined);
    }),
    authorityCase(maker, "a follower misses nothing of concurrent writers", async (f) => {
      let { state } = await f.authority.follow(undefined);
      const newest = new Map<string, number>();
      const poll = async (): Promise<void> => {
        const answer = await f.authority.follow(state);
        for (const change of answer.changes)
          newest.set(change.key, Math.max(newest.get(change.key) ?? 0, change.version));
        ({ state } = answer);
      };
      const written = new Map<string, number>();
      const writer = async (id: number): Promise<void> => {
        for (let n = 0; n < 10; n += 1) {
          const key = `k${(id + n) % 7}`;
          const { version } = await f.put(key);
          written.set(key, Math.max(written.get(key) ?? 0, version));
        }
      };
      let writing = true;
      const writers = Promise.all(Array.from({ length: 6 }, (_, id) => writer(id))).finally(() => {
        writing = false;
      });
      while (writing) await poll();
      await writers;
      await poll();
      for (const [key, version] of written) assert.equal(newest.get(key), version, key);
    }),
    authorityCase(maker, "a consumer's position is kept under its name", async (f) => {
      const name = `consumer ${f.namespace}`;
      assert.equal(await f.authority.loadConsumer(name), undefined);
      await f.authority.saveConsumer(name, 5);
      await f.authority.saveConsumer(name, 9);
      assert.equal(await f.authority.loadConsumer(name), 9);
    }),
    authorityCase(maker, "sweep turns the expired into tombstones and tells of it", async (f) => {
      const start = await f.authority.changePosition();
      const put = await f.put("k", { ttlSeconds: 0.001, metadata: { a: 1 } });
      await f.put("stays");
      await f.waitUntilGone("k");
      for (let round = 0; round < 20; round += 1) {
        const report = await f.authority.sweep(1000);
        assert.ok(report.expired <= 1000);
        if (report.expired === 0) break;
      }
      const expired = (await f.changesFrom(start, 3)).filter((change) => change.op === "expire");
      assert.deepEqual(
        expired.map((change) => change.key),
        ["k"],
      );
      assert.ok((expired[0]?.version ?? 0) > put.version);
      assert.deepEqual(await f.keys(), ["stays"]);
      const again = await f.put("k");
      assert.ok(again.version > (expired[0]?.version ?? Infinity));
    }),
  ];
}
