import { expect, test } from "vitest";
import { placesOf } from "../../src/coherence/log-place.ts";
import type { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import type { LogPlace } from "../../src/tiers/shared.ts";
import { describeBoth, put, writeOne } from "./support.ts";

const CANNOT_TELL = Number.MAX_SAFE_INTEGER;
/** A tombstone is kept so long here, and a doubt is told within half of it. */
const TOMBSTONE_SECONDS = 2;

async function placeNow(authority: PostgresAuthority): Promise<LogPlace> {
  return placesOf((await authority.follow(undefined)).state.snapshot).settled;
}

async function sweepAll(authority: PostgresAuthority): Promise<void> {
  for (let rounds = 0; rounds < 4; rounds += 1) await authority.sweep(1000);
}

describeBoth(
  "what became of a key since a place in the log",
  (late) => {
    test("tells of clears that were swept long ago, of exactly the namespaces that they hit", async () => {
      const { authority } = late.rig;
      const since = await placeNow(authority);
      const { version } = await authority.clear("d/a", true);
      const alone = await authority.clear("d/b", false);
      await sweepAll(authority);
      const table: [namespace: string, newest: number][] = [
        ["d/a", version],
        ["d/a/x", version],
        ["d/ax", 0],
        ["d", 0],
        ["d/b", alone.version],
        ["d/b/x", 0],
      ];
      const refs = table.map(([namespace]) => ({ namespace, key: "k" }));
      expect(await authority.newestVersions(refs)).toEqual(refs.map(() => 0));
      const known = refs.map((ref) => ({ ...ref, since }));
      expect(await authority.newestVersions(known)).toEqual(table.map(([, newest]) => newest));
      const later = await placeNow(authority);
      const after = refs.map((ref) => ({ ...ref, since: later }));
      expect(await authority.newestVersions(after)).toEqual(refs.map(() => 0));
    });

    test("tells the version of an item, of a tombstone and of a key that never was", async () => {
      const { authority } = late.rig;
      const since = await placeNow(authority);
      const live = await writeOne(authority, put("live", { namespace: "e" }));
      await writeOne(authority, put("gone", { namespace: "e" }));
      const gone = await writeOne(authority, { kind: "remove", namespace: "e", key: "gone" });
      const known = ["live", "gone", "never"].map((key) => ({ namespace: "e", key, since }));
      const versions = [live, gone].map((result) => ("version" in result ? result.version : -1));
      expect(await authority.newestVersions(known)).toEqual([...versions, 0]);
    });

    test("cannot tell once a tombstone of that time may have been purged", async () => {
      const { authority } = late.rig;
      const since = await placeNow(authority);
      await writeOne(authority, put("any", { namespace: "f" }));
      const known = [{ namespace: "f", key: "k", since }];
      for (let tries = 0; tries < 100; tries += 1) {
        const [newest] = await authority.newestVersions(known);
        if (newest === CANNOT_TELL) break;
        expect(newest).toBe(0);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(await authority.newestVersions(known)).toEqual([CANNOT_TELL]);
      const later = await placeNow(authority);
      expect(await authority.newestVersions([{ namespace: "f", key: "k", since: later }])).toEqual([
        0,
      ]);
    });

    test("cannot tell where the log was trimmed", async () => {
      const { authority, database } = late.rig;
      const since = await placeNow(authority);
      const known = [{ namespace: "g", key: "k", since }];
      expect(await authority.newestVersions(known)).toEqual([0]);
      await database.query({
        name: "trim_all",
        text: "UPDATE cherry.meta SET value = '9000000000' WHERE name = 'trimmed_xid'",
      });
      expect(await authority.newestVersions(known)).toEqual([CANNOT_TELL]);
    });
  },
  { tombstoneSeconds: TOMBSTONE_SECONDS },
);
