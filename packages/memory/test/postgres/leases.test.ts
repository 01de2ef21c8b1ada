import { expect, test } from "vitest";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import type { LoadClaim } from "../../src/tiers/authority.ts";
import { SCHEMA } from "../support/databases.ts";
import { put, putStatement, serverRig, untilBlocked, writeOne } from "./support.ts";

const TTL_SECONDS = 600;
const NAMESPACE = "n";

describeWithPostgres("leases between transactions", () => {
  const late = serverRig();

  async function take(key: string): Promise<LoadClaim> {
    const answer = await late.rig.authority.takeLease({ namespace: NAMESPACE, key }, TTL_SECONDS);
    if (answer.status !== "granted") throw new Error(`expected granted, got ${answer.status}`);
    return answer.claim;
  }

  test("who waited for a lease whose holder stored meanwhile is told of the item", async () => {
    const other = await late.rig.connect();
    await other.query("BEGIN");
    const { rows } = await other.query<{ granted_token: string }>(
      `SELECT granted_token FROM ${SCHEMA}.take_lease('${NAMESPACE}', 'raced', ${TTL_SECONDS})`,
    );
    const waiting = late.rig.authority.takeLease({ namespace: NAMESPACE, key: "raced" }, 1);
    await untilBlocked(late.rig);
    await other.query(
      `SELECT ${SCHEMA}.store_loaded('${NAMESPACE}', 'raced', ''::bytea, '{}', '{}', NULL, NULL, NULL, $1, 0)`,
      [rows[0]?.granted_token],
    );
    await other.query("COMMIT");
    expect(await waiting).toEqual({ status: "found" });
    // It left no lease behind: the key is free again once the item is gone.
    await writeOne(late.rig.authority, { kind: "remove", namespace: NAMESPACE, key: "raced" });
    await take("raced");
  });

  test("a value is refused that met the first write of its key, which was removed at once", async () => {
    const claim = await take("first");
    const other = await late.rig.connect();
    await other.query("BEGIN");
    await other.query(putStatement("first", NAMESPACE));
    const storing = writeOne(late.rig.authority, put("first", { claim }));
    await untilBlocked(late.rig);
    await other.query(
      `SELECT ${SCHEMA}.write_items(ARRAY['remove'], ARRAY['${NAMESPACE}'], ARRAY['first'], NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, 'report', NULL, NULL, NULL)`,
    );
    await other.query("COMMIT");
    expect(await storing).toEqual({ status: "conflict", currentVersion: null });
  });

  test("a trace is left also where an item is created and removed meanwhile", async () => {
    const other = await late.rig.connect();
    await other.query("BEGIN");
    await other.query(putStatement("traced", NAMESPACE));
    const removing = writeOne(late.rig.authority, {
      kind: "remove",
      namespace: NAMESPACE,
      key: "traced",
      leaveTrace: true,
    });
    await untilBlocked(late.rig);
    await other.query("COMMIT");
    expect((await removing).status).toBe("written");
  });

  test("the sweep takes leases away that ended without a word, and no others", async () => {
    const { authority, database } = late.rig;
    await take("kept");
    await authority.takeLease({ namespace: NAMESPACE, key: "ended" }, 0.001);
    const count = async (): Promise<unknown> => {
      const [row] = await database.query({
        text: `SELECT count(*) AS n FROM ${SCHEMA}.leases WHERE key IN ('kept', 'ended')`,
      });
      return row?.["n"];
    };
    expect(await count()).toBe(2);
    while ((await count()) !== 1) await authority.sweep(100);
    expect((await authority.takeLease({ namespace: NAMESPACE, key: "kept" }, 1)).status).toBe(
      "held",
    );
  });
});
