import assert from "node:assert/strict";
import type { SuiteCase } from "../suite.ts";
import { authorityCase, bytes, expectWritten, sameBody } from "./fixture.ts";
import type { AuthorityFixture, AuthorityMaker } from "./fixture.ts";
import { LONG_SECONDS, storeLoaded, takeGranted } from "./leases.ts";

/** What may happen to a key between the lease and the store: those that are false make the value old. */
const EVENTS: readonly [string, (f: AuthorityFixture, key: string) => Promise<unknown>, boolean][] =
  [
    ["written", (f, key) => f.put(key), false],
    [
      "written and removed",
      async (f, key) => {
        await f.put(key);
        await f.one(f.removeOperation(key));
      },
      false,
    ],
    [
      "written and expired",
      async (f, key) => {
        await f.put(key, { ttlSeconds: 0.001 });
        await f.waitUntilGone(key);
      },
      false,
    ],
    [
      "removed with a trace",
      (f, key) => f.one({ ...f.removeOperation(key), leaveTrace: true }),
      false,
    ],
    ["cleared", (f) => f.authority.clear(f.namespace, false), false],
    ["swept", (f) => f.authority.sweep(1_000), true],
    ["read and not found", (f, key) => f.get(key), true],
  ];

/** How a key is before somebody asks for its lease. */
export const BEGINNINGS: readonly [
  string,
  (f: AuthorityFixture, key: string) => Promise<unknown>,
][] = [
  ["unknown", async () => {}],
  [
    "deleted",
    async (f, key) => {
      await f.put(key);
      await f.one(f.removeOperation(key));
    },
  ],
  [
    "expired",
    async (f, key) => {
      await f.put(key, { ttlSeconds: 0.001 });
      await f.waitUntilGone(key);
    },
  ],
  [
    "cleared",
    async (f, key) => {
      await f.put(key);
      await f.authority.clear(f.namespace, false);
    },
  ],
];

/** A removal that finds nothing is told from none by the lease, where there is one. */
function vainRemovalCase(maker: AuthorityMaker): SuiteCase {
  return authorityCase(
    maker,
    "loaded: when the key is removed in vain meanwhile, it is refused",
    async (f) => {
      const claim = await takeGranted(f, f.ref("k"), { ttlSeconds: LONG_SECONDS });
      assert.equal((await f.one(f.removeOperation("k"))).status, "absent");
      const result = await storeLoaded(f, "k", claim);
      assert.deepEqual(result, { status: "conflict", currentVersion: null });
      assert.equal(await f.get("k"), undefined);
      // Nobody loads this one: nothing is recorded.
      assert.equal((await f.one(f.removeOperation("other"))).status, "absent");
      assert.deepEqual(await f.authority.newestVersions([f.ref("other")]), [0]);
    },
  );
}

/** No old value comes back, whatever the key was and whatever became of it. */
export function loadedValueCases(maker: AuthorityMaker): SuiteCase[] {
  const cases = BEGINNINGS.flatMap(([beginning, begin]) =>
    EVENTS.map(([event, happen, isStored]) =>
      authorityCase(
        maker,
        `loaded for a key that was ${beginning}: when that is ${event} meanwhile, it is ${isStored ? "stored" : "refused"}`,
        async (f) => {
          for (const ttlSeconds of [LONG_SECONDS, undefined]) {
            const key = `k-${ttlSeconds}`;
            await begin(f, key);
            const claim = await takeGranted(f, f.ref(key), { ttlSeconds });
            await happen(f, key);
            const there = await f.get(key);
            const result = await storeLoaded(f, key, claim);
            if (isStored) {
              assert.equal(expectWritten(result).existed, false);
              assert.ok(expectWritten(result).version > claim.seenVersion);
              sameBody(await f.get(key), bytes("loaded"));
            } else {
              assert.deepEqual(result, {
                status: "conflict",
                currentVersion: there?.version ?? null,
              });
              assert.equal((await f.get(key))?.version, there?.version);
            }
            // The lease has ended either way.
            if (there === undefined && !isStored) await takeGranted(f, f.ref(key));
          }
        },
      ),
    ),
  );
  return [...cases, vainRemovalCase(maker)];
}
