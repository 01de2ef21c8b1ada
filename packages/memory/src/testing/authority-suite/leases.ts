import assert from "node:assert/strict";
import { systemClock } from "../../model/clock.ts";
import type { ItemRef } from "../../model/item.ts";
import type { LoadClaim, WriteResult } from "../../tiers/authority.ts";
import type { SuiteCase } from "../suite.ts";
import { authorityCase, bytes, expectWritten } from "./fixture.ts";
import type { AuthorityFixture, AuthorityMaker } from "./fixture.ts";

/** Longer than any case takes. */
export const LONG_SECONDS = 600;
const SHORT_SECONDS = 0.02;
const POLLS_MAX = 2_000;

/** The claim; fails when there is none. */
export async function takeGranted(
  f: AuthorityFixture,
  ref: ItemRef,
  lease: { readonly ttlSeconds: number | undefined } = { ttlSeconds: LONG_SECONDS },
): Promise<LoadClaim> {
  const answer = await f.authority.takeLease(ref, lease.ttlSeconds);
  if (answer.status !== "granted") assert.fail(`expected "granted", got ${JSON.stringify(answer)}`);
  return answer.claim;
}

function tokenOf(claim: LoadClaim): string {
  return claim.token ?? assert.fail("a lease with a lifetime has a token");
}

export function storeLoaded(
  f: AuthorityFixture,
  key: string,
  claim: LoadClaim,
): Promise<WriteResult> {
  return f.one({ ...f.putOperation(key, { body: bytes("loaded") }), claim });
}

/** Leases for loaders: one at a time, and none for ever. */
export function leaseCases(maker: AuthorityMaker): SuiteCase[] {
  return [...holdingCases(maker), ...endingCases(maker)];
}

function holdingCases(maker: AuthorityMaker): SuiteCase[] {
  return [
    authorityCase(maker, "a lease keeps others out until its value is there", async (f) => {
      const claim = await takeGranted(f, f.ref("k"));
      const other = await f.authority.takeLease(f.ref("k"), LONG_SECONDS);
      assert.equal(other.status, "held");
      if (other.status === "held") {
        assert.ok(other.heldForMs > 0, `${other.heldForMs} ms`);
        assert.ok(other.heldForMs <= LONG_SECONDS * 1000, `${other.heldForMs} ms`);
      }
      await takeGranted(f, f.ref("another"));
      await takeGranted(f, f.ref("k", `${f.namespace}/below`));
      const start = await f.authority.changePosition();
      const { version } = expectWritten(await storeLoaded(f, "k", claim));
      assert.deepEqual(await f.authority.takeLease(f.ref("k"), LONG_SECONDS), { status: "found" });
      assert.deepEqual(await f.authority.takeLease(f.ref("k"), undefined), { status: "found" });
      const [change] = await f.changesFrom(start, 1);
      assert.deepEqual([change?.key, change?.op, change?.version], ["k", "put", version]);
    }),
    authorityCase(maker, "of 50 who ask at once one is granted", async (f) => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => f.authority.takeLease(f.ref("k"), LONG_SECONDS)),
      );
      const granted = answers.filter(({ status }) => status === "granted");
      assert.equal(granted.length, 1);
      assert.equal(answers.filter(({ status }) => status === "held").length, 49);
    }),
    authorityCase(maker, "many askers and writers of few keys do not deadlock", async (f) => {
      const stored: number[] = [];
      const one = async (n: number): Promise<void> => {
        const key = `k${n % 3}`;
        const answer = await f.authority.takeLease(f.ref(key), LONG_SECONDS);
        if (answer.status === "granted") {
          const result = await storeLoaded(f, key, answer.claim);
          if (result.status === "written") stored.push(result.version);
        } else if (n % 2 === 0) await f.one(f.removeOperation(key));
        else await f.put(key, { ttlSeconds: 0.001 });
      };
      await Promise.all(Array.from({ length: 60 }, (_, n) => one(n)));
      // Removals and writes may have outrun every load; what was stored got versions of its own.
      assert.equal(new Set(stored).size, stored.length);
      const claim = await takeGranted(f, f.ref("calm"));
      expectWritten(await storeLoaded(f, "calm", claim));
    }),
  ];
}

function endingCases(maker: AuthorityMaker): SuiteCase[] {
  return [
    authorityCase(
      maker,
      "a lease that runs out goes to the next, and stores nothing",
      async (f) => {
        const late = await takeGranted(f, f.ref("k"), { ttlSeconds: SHORT_SECONDS });
        let next: LoadClaim | undefined;
        for (let polls = 0; next === undefined && polls < POLLS_MAX; polls += 1) {
          const answer = await f.authority.takeLease(f.ref("k"), LONG_SECONDS);
          if (answer.status === "granted") next = answer.claim;
          else await systemClock.sleep(1);
        }
        assert.ok(next !== undefined, "the lease did not end");
        assert.equal(await f.authority.renewLease(f.ref("k"), tokenOf(late), LONG_SECONDS), false);
        await f.authority.releaseLease(f.ref("k"), tokenOf(late));
        assert.equal((await storeLoaded(f, "k", late)).status, "conflict");
        expectWritten(await storeLoaded(f, "k", next));
        assert.equal((await storeLoaded(f, "k", late)).status, "conflict");
      },
    ),
    authorityCase(
      maker,
      "a lease that ran out stores nothing, though nobody wants it",
      async (f) => {
        const late = await takeGranted(f, f.ref("k"), { ttlSeconds: SHORT_SECONDS });
        const renew = (): Promise<boolean> =>
          f.authority.renewLease(f.ref("k"), tokenOf(late), SHORT_SECONDS);
        for (let polls = 0; await renew(); polls += 1) {
          assert.ok(polls < POLLS_MAX, "the lease did not end");
          await systemClock.sleep(SHORT_SECONDS * 1000);
        }
        assert.equal((await storeLoaded(f, "k", late)).status, "conflict");
        assert.equal(await f.get("k"), undefined);
      },
    ),
    authorityCase(maker, "a renewed lease lasts longer", async (f) => {
      const claim = await takeGranted(f, f.ref("k"), { ttlSeconds: 60 });
      assert.equal(await f.authority.renewLease(f.ref("k"), tokenOf(claim), LONG_SECONDS), true);
      const other = await f.authority.takeLease(f.ref("k"), 60);
      assert.ok(other.status === "held" && other.heldForMs > 60_000, JSON.stringify(other));
      assert.equal(await f.authority.renewLease(f.ref("k"), "another", LONG_SECONDS), false);
      expectWritten(await storeLoaded(f, "k", claim));
      assert.equal(await f.authority.renewLease(f.ref("k"), tokenOf(claim), LONG_SECONDS), false);
    }),
    authorityCase(maker, "a released lease is the next one's", async (f) => {
      const claim = await takeGranted(f, f.ref("k"));
      await f.authority.releaseLease(f.ref("k"), "another");
      assert.equal((await f.authority.takeLease(f.ref("k"), 60)).status, "held");
      await f.authority.releaseLease(f.ref("k"), tokenOf(claim));
      const next = await takeGranted(f, f.ref("k"));
      assert.equal((await storeLoaded(f, "k", claim)).status, "conflict");
      expectWritten(await storeLoaded(f, "k", next));
    }),
    authorityCase(
      maker,
      "who comes after a change need not wait for who came before",
      async (f) => {
        const before = await takeGranted(f, f.ref("k"));
        await f.put("k");
        assert.equal(
          await f.authority.renewLease(f.ref("k"), tokenOf(before), LONG_SECONDS),
          false,
        );
        await f.one(f.removeOperation("k"));
        const after = await takeGranted(f, f.ref("k"));
        assert.ok(after.seenVersion > before.seenVersion);
        assert.equal((await storeLoaded(f, "k", before)).status, "conflict");
        assert.equal(await f.authority.renewLease(f.ref("k"), tokenOf(after), LONG_SECONDS), true);
        expectWritten(await storeLoaded(f, "k", after));
      },
    ),
    authorityCase(maker, "a claim without a lifetime keeps nobody out", async (f) => {
      const [one, two] = [
        await takeGranted(f, f.ref("k"), { ttlSeconds: undefined }),
        await takeGranted(f, f.ref("k")),
      ];
      assert.equal(one.token, undefined);
      expectWritten(await storeLoaded(f, "k", one));
      assert.equal((await storeLoaded(f, "k", two)).status, "conflict");
    }),
    authorityCase(maker, "what is stored under a claim is whole", async (f) => {
      const claim = await takeGranted(f, f.ref("k"));
      const facts = { metadata: { a: [1, "x"] }, tags: ['q"uote', "b\\c"], ttlSeconds: 500 };
      const put = expectWritten(await f.one({ ...f.putOperation("k", facts), claim }));
      const record = await f.get("k");
      assert.deepEqual(record?.metadata, facts.metadata);
      assert.deepEqual(record?.tags, facts.tags);
      assert.equal(record?.version, put.version);
      assert.equal(record?.expiresAtMs, put.expiresAtMs);
      assert.ok((put.expiresAtMs ?? 0) - put.updatedAtMs > 499_000);
      assert.deepEqual(await f.keys({ tags: ["b\\c"] }), ["k"]);
    }),
  ];
}
