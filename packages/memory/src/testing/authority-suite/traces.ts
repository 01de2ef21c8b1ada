import assert from "node:assert/strict";
import type { SuiteCase } from "../suite.ts";
import { authorityCase } from "./fixture.ts";
import type { AuthorityMaker } from "./fixture.ts";
import { BEGINNINGS } from "./loaded-values.ts";

/** Removals that are recorded although there was nothing. */
export function traceCases(maker: AuthorityMaker): SuiteCase[] {
  return BEGINNINGS.map(([beginning, begin]) =>
    authorityCase(maker, `removing a key that was ${beginning} can leave a trace`, async (f) => {
      await begin(f, "k");
      const [known = 0] = await f.authority.newestVersions([f.ref("k")]);
      const silent = await f.one(f.removeOperation("k"));
      assert.equal(silent.status, "absent");
      assert.deepEqual(await f.authority.newestVersions([f.ref("k")]), [known]);
      const start = await f.authority.changePosition();
      const [traced, other, conflicting] = await f.authority.write([
        { ...f.removeOperation("k"), leaveTrace: true },
        f.putOperation("other"),
        { ...f.removeOperation("third", 5), leaveTrace: true },
      ]);
      assert.ok(traced?.status === "absent" && traced.version > known, JSON.stringify(traced));
      assert.equal(other?.status, "written");
      assert.deepEqual(conflicting, { status: "conflict", currentVersion: null });
      assert.deepEqual(await f.authority.newestVersions([f.ref("k"), f.ref("third")]), [
        traced.version,
        known === 0 || beginning !== "cleared" ? 0 : known,
      ]);
      const changes = await f.changesFrom(start, 2);
      const ofKey = changes.filter(({ key }) => key === "k");
      assert.deepEqual(
        ofKey.map(({ op, version }) => [op, version]),
        [["remove", traced.version]],
      );
      assert.equal(await f.get("k"), undefined);
      const live = await f.put("k");
      assert.ok(live.version > traced.version);
      const removed = await f.one({ ...f.removeOperation("k"), leaveTrace: true });
      assert.equal(removed.status, "written");
    }),
  );
}
