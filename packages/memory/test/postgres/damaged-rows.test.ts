import { expect, test } from "vitest";
import { SCHEMA } from "../support/databases.ts";
import { describeBoth, put, searchOf } from "./support.ts";

const DAMAGES: readonly string[] = [
  "body = NULL",
  "metadata = '[1]'",
  "metadata = 'null'",
  "tags = ARRAY[NULL]::text[]",
  "created_at = '-infinity'",
  "created_at = 'infinity'",
  "updated_at = 'infinity'",
  "updated_at = '290000-01-01'",
  "expires_at = 'infinity'",
];

describeBoth("a damaged row", (late) => {
  test.each(DAMAGES)("is corruption of its item, and of no other: %s", async (damage) => {
    const { authority, database } = late.rig;
    const namespace = "damaged";
    await authority.write(["a", "b"].map((key) => put(key, { namespace, metadata: { x: 1 } })));
    const where = `WHERE namespace = '${namespace}' AND key = 'a'`;
    await database.write({ text: `UPDATE ${SCHEMA}.items SET ${damage} ${where}` });
    const corrupt = {
      code: "CORRUPT_VALUE",
      message: expect.stringContaining('"a" in namespace "damaged"'),
    };
    const refOf = (key: string) => ({ namespace, key });
    await expect(authority.getMany([refOf("a")])).rejects.toMatchObject(corrupt);
    await expect(authority.getMany([refOf("b"), refOf("a")])).rejects.toMatchObject(corrupt);
    await expect(authority.modify(refOf("a"), () => undefined)).rejects.toMatchObject(corrupt);
    const page = { namespace, below: false, after: undefined, limit: 10 };
    await expect(authority.exportPage(page)).rejects.toMatchObject(corrupt);
    await expect(authority.search(searchOf(namespace))).rejects.toMatchObject(corrupt);
    const [other] = await authority.getMany([refOf("b"), refOf("none")]);
    expect(other?.key).toBe("b");
    // To write it again mends it, whichever way.
    for (const condition of ["present", undefined] as const) {
      await database.write({ text: `UPDATE ${SCHEMA}.items SET ${damage} ${where}` });
      const written = await authority.write([
        put("a", { namespace, ...(condition === undefined ? {} : { condition }) }),
      ]);
      expect(written).toMatchObject([{ status: "written", existed: true }]);
      expect(await authority.getMany([refOf("a")])).toMatchObject([{ body: Buffer.from("a") }]);
    }
  });
});
