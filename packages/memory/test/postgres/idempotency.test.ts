import { expect, test } from "vitest";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import { MemoryError } from "../../src/model/errors.ts";
import { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import { systemClock } from "../../src/model/clock.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { Database } from "../../src/tiers/postgres/database.ts";
import { SCHEMA } from "../support/databases.ts";
import { describeBoth, put, serverRig, untilBlocked, writeOne, writtenVersion } from "./support.ts";

let used = 0;

function token(requestHash = "h"): { namespace: string; id: string; requestHash: string } {
  used += 1;
  return { namespace: "i", id: `request-${used}`, requestHash };
}

/** The same database, whose writes are done but not answered the first `count` times. */
function unanswered(database: Database, count: number, after?: MemoryError): Database {
  let left = count;
  return {
    query: (statement, values) => database.query(statement, values),
    write: async (statement, values) => {
      if (left === 0) return database.write(statement, values);
      left -= 1;
      if (left < count - 1 && after !== undefined) throw after;
      await database.write(statement, values);
      throw new MemoryError("OUTCOME_UNKNOWN", "the answer was lost");
    },
    transaction: (work, options) => database.transaction(work, options),
    script: (text) => database.script(text),
    exclusive: database.exclusive,
    description: database.description,
    open: () => database.open(),
    close: async () => {},
  };
}

async function authorityOver(database: Database): Promise<PostgresAuthority> {
  const authority = new PostgresAuthority({
    database,
    schema: SCHEMA,
    clock: systemClock,
    limits: DEFAULT_LIMITS,
  });
  await authority.initialize();
  return authority;
}

describeBoth("an idempotency key", (late) => {
  test("keeps the whole receipt of a mixed batch, conflicts and lifetimes too", async () => {
    const { authority } = late.rig;
    const namespace = "i";
    await authority.write([put("here", { namespace }), put("gone", { namespace })]);
    const operations = [
      put("z", { namespace, ttlSeconds: 500 }),
      put("here", { namespace, condition: "absent" }),
      { kind: "remove", namespace, key: "gone" },
      { kind: "remove", namespace, key: "never" },
    ] as const;
    const idempotency = token();
    const first = await authority.write(operations, { idempotency });
    const second = await authority.write(operations, { idempotency });
    const withoutDeadline = (results: typeof first): unknown[] =>
      results.map((result) => ({ ...result, deadlineMs: undefined }));
    expect(withoutDeadline(second)).toEqual(withoutDeadline(first));
    expect(first.map((result) => result.status)).toEqual([
      "written",
      "conflict",
      "written",
      "absent",
    ]);
    // What is left of the life is counted anew.
    for (const [result] of [first, second]) {
      if (result?.status !== "written") throw new Error("not written");
      const leftMs = result.deadlineMs - systemClock.monotonicMs();
      expect(leftMs).toBeGreaterThan(400_000);
      expect(leftMs).toBeLessThan(500_001);
    }
  });

  test("is free again when nothing was written under it", async () => {
    const { authority } = late.rig;
    const namespace = "free";
    const idempotency = token();
    const operation = put("k", { namespace, condition: "present" });
    const options = { idempotency };
    expect((await authority.write([operation], options))[0]?.status).toBe("conflict");
    const atomic = authority.write([operation], { ...options, atomic: true });
    await expect(atomic).rejects.toMatchObject({ code: "BATCH_ABORTED", index: 0 });
    expect(
      await authority.modify({ namespace, key: "k" }, () => undefined, options),
    ).toBeUndefined();
    const thrown = authority.modify({ namespace, key: "k" }, () => fail(), options);
    await expect(thrown).rejects.toThrow("decided against");
    await writeOne(authority, put("k", { namespace }));
    expect((await authority.write([operation], options))[0]?.status).toBe("written");
  });

  test("is free again after a day", async () => {
    const { authority, database } = late.rig;
    const idempotency = token();
    const operation = put("day", { namespace: "i" });
    const first = await authority.write([operation], { idempotency });
    await database.write(
      {
        text: `UPDATE ${SCHEMA}.idempotency SET at = now() - interval '25 hours' WHERE id = $1`,
      },
      [idempotency.id],
    );
    const other = { ...idempotency, requestHash: "other" };
    const second = await authority.write([operation], { idempotency: other });
    expect(writtenVersion(second[0])).toBeGreaterThan(writtenVersion(first[0]));
    await database.write({
      text: `UPDATE ${SCHEMA}.idempotency SET at = now() - interval '25 hours'`,
    });
    expect((await authority.sweep(1000)).trimmedIdempotency).toBeGreaterThan(0);
  });

  test("repeats a modify without deciding again", async () => {
    const { authority } = late.rig;
    const ref = { namespace: "i", key: "count" };
    const idempotency = token();
    let decisions = 0;
    const modify = (): Promise<unknown> =>
      authority.modify(
        ref,
        () => {
          decisions += 1;
          return put("count", { namespace: "i" });
        },
        { idempotency },
      );
    const first = await modify();
    expect(await modify()).toEqual(first);
    expect(decisions).toBe(1);
    const other = { idempotency: { ...idempotency, requestHash: "x" } };
    const mismatch = authority.modify(ref, () => put("count", { namespace: "i" }), other);
    await expect(mismatch).rejects.toMatchObject({ code: "IDEMPOTENCY_MISMATCH" });
  });

  test("lets a write whose answer was lost be sent again, once done once", async () => {
    const authority = await authorityOver(unanswered(late.rig.database, 2));
    const options = { idempotency: token() };
    const operation = put("lost", { namespace: "lost" });
    const version = writtenVersion((await authority.write([operation], options))[0]);
    const page = await authority.readChanges({
      namespace: "lost",
      below: false,
      after: 0,
      limit: 9,
    });
    expect(page.changes.map((change) => change.version)).toEqual([version]);
  });

  test("a write whose answer stays lost, or has no key, says that it does not know", async () => {
    const never = await authorityOver(unanswered(late.rig.database, 99));
    const operation = put("lost2", { namespace: "lost2" });
    const unknown = { code: "OUTCOME_UNKNOWN" };
    await expect(never.write([operation])).rejects.toMatchObject(unknown);
    await expect(never.write([operation], { idempotency: token() })).rejects.toMatchObject(unknown);
    const away = new MemoryError("STORE_UNAVAILABLE", "away");
    const gone = await authorityOver(unanswered(late.rig.database, 99, away));
    // "Surely not written" of the second try is no word about the first.
    await expect(gone.write([operation], { idempotency: token() })).rejects.toMatchObject(unknown);
  });
});

function fail(): never {
  throw new Error("decided against");
}

describeWithPostgres("two requests with one idempotency key", () => {
  const late = serverRig();

  test("write once: the second waits for the first's receipt", async () => {
    const { rig } = late;
    const idempotency = token();
    const holder = await rig.connect();
    await writeOne(rig.authority, put("k", { namespace: "two" }));
    await holder.query("BEGIN");
    await holder.query(`SELECT FROM ${SCHEMA}.items WHERE namespace = 'two' FOR UPDATE`);
    const write = (): Promise<readonly unknown[]> =>
      rig.authority.write([put("k", { namespace: "two" })], { idempotency });
    const first = write();
    await untilBlocked(rig, 1);
    const second = write();
    const other = rig.authority.write([put("k", { namespace: "two" })], {
      idempotency: { ...idempotency, requestHash: "other" },
    });
    const refused = expect(other).rejects.toMatchObject({ code: "IDEMPOTENCY_MISMATCH" });
    await untilBlocked(rig, 3);
    await holder.query("COMMIT");
    expect(await second).toEqual((await first).map((result) => expect.objectContaining(result)));
    await refused;
  });
});
