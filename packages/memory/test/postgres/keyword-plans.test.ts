import { expect, test } from "vitest";
import type { SqlValue, Statement } from "../../src/tiers/postgres/database.ts";
import { LOOK_UP, SCAN } from "../../src/tiers/postgres/recall/postings.ts";
import { inSchema } from "../../src/tiers/postgres/schema.ts";
import { SCHEMA } from "../support/databases.ts";
import { describeBoth } from "./support.ts";
import type { Rig } from "./support.ts";

/** As many as a namespace of ten thousand texts has, of words of very different rarity. */
const FILL = `INSERT INTO {{schema}}.word_postings (namespace_id, term, document, frequency, length)
  SELECT 1 + n % 3, 't' || floor(n % 317 * (n % 11) / 10.0), n, 1, 10 FROM generate_series(1, 100000) AS n`;

async function planOf(rig: Rig, { text }: Statement, values: readonly SqlValue[]): Promise<string> {
  const statement = { text: inSchema(`EXPLAIN ${text}`, SCHEMA) };
  const rows = await rig.database.query(statement, values);
  return rows.map((row) => String(row["QUERY PLAN"])).join("\n");
}

describeBoth("postings at 100,000 rows", (late) => {
  test("are read by their key, with and without statistics", async () => {
    const { rig } = late;
    await rig.database.write({ text: inSchema(FILL, SCHEMA) });
    const documents = Array.from({ length: 500 }, (_, n) => n * 3);
    const terms = ["t0", "t5", "t316", "absent"];
    for (const isAnalysed of [false, true]) {
      if (isAnalysed)
        await rig.database.script(inSchema("ANALYZE {{schema}}.word_postings", SCHEMA));
      const plans = [
        await planOf(rig, SCAN, [[1, 2, 3], terms]),
        await planOf(rig, SCAN, [[1], ["t0"]]),
        await planOf(rig, LOOK_UP, [documents.map(() => 1), documents, terms]),
      ];
      for (const plan of plans) {
        expect(plan).toContain("word_postings_pkey");
        expect(plan).not.toContain("Seq Scan on word_postings");
      }
    }
  });
});
