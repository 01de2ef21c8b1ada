import { expect, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { intercept } from "../../src/testing/intercept.ts";
import { SCHEMA } from "../support/databases.ts";
import { describeBoth, openRig, pgDatabase, put } from "./support.ts";

const NAMESPACE = "shared";
const ITEMS = 100;

function refOf(key: string): { readonly namespace: string; readonly key: string } {
  return { namespace: NAMESPACE, key };
}

describeBoth("single reads at once", (late) => {
  test("each gets its own answer, a damaged one its own error", async () => {
    const { authority, database } = late.rig;
    const keys = Array.from({ length: ITEMS }, (_, index) => `k${index}`);
    await authority.write(keys.map((key) => put(key, { namespace: NAMESPACE })));
    const where = `WHERE namespace = '${NAMESPACE}' AND key = 'k7'`;
    await database.write({ text: `UPDATE ${SCHEMA}.items SET created_at = 'infinity' ${where}` });
    const asked = [...keys, "none", "k3", "k3"];
    const answers = await Promise.allSettled(asked.map((key) => authority.getMany([refOf(key)])));
    for (const [index, key] of asked.entries()) {
      const answer = answers[index];
      if (key === "k7") expect(answer).toMatchObject({ reason: { code: "CORRUPT_VALUE" } });
      else if (key === "none") expect(answer).toEqual({ status: "fulfilled", value: [undefined] });
      else expect(answer).toMatchObject({ value: [{ ...refOf(key), body: Buffer.from(key) }] });
    }
  });
});

describeWithPostgres("single reads behind a connection that is busy", () => {
  test("go together once it is free, and see what was committed by then", async () => {
    let statements = 0;
    const database = intercept(
      pgDatabase(await testDatabase(), 1),
      new Set(["query"]),
      (_, proceed) => {
        statements += 1;
        return proceed();
      },
    );
    const { authority } = await openRig(database);
    await authority.write([put("a"), put("b")]);
    statements = 0;
    let committing = (): void => {};
    const held = new Promise<void>((resolve) => (committing = resolve));
    const transaction = database.transaction(async (tx) => {
      await tx.query({ text: `UPDATE ${SCHEMA}.items SET body = 'new' WHERE key = 'b'` });
      await held;
    });
    const reads = [];
    for (const key of ["a", "b", "none"]) {
      reads.push(authority.getMany([{ namespace: "n", key }]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    committing();
    await transaction;
    expect(await Promise.all(reads)).toMatchObject([
      [{ body: Buffer.from("a") }],
      [{ body: Buffer.from("new") }],
      [undefined],
    ]);
    expect(statements).toBe(1);
    await authority.close();
  });
});
