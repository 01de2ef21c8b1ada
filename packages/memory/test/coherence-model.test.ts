import { describe, expect, test } from "vitest";
import { search, spinMissing } from "./support/spin.ts";

// What is modelled, at which scope, and what each broken variant shows: ../model/README.md.

const missing = spinMissing();
const note = missing === undefined ? "" : ` [skipped: ${missing}]`;
/** The largest search takes half a minute on a machine with nothing else to do. */
const SEARCH_TIMEOUT_MS = 600_000;

const FAULTS = ["RESTART", "ABORT", "CRASH", "TRIM"];
const COPIES = [...FAULTS, "ASK", "OWN", "BUS", "POLL_SPLIT"];
const SHARED = [...FAULTS, "SHARED", "ROLL", "BOUND=1"];
const MONOTONIC = ["MONOTONIC", "SHARED", "ASK", "RESTART", "BOUND=1"];

async function expectProof(
  model: string,
  defines: readonly string[],
  statesMin: number,
): Promise<void> {
  const found = await search(model, { defines });
  expect(found.complete, found.output).toBe(true);
  // Fewer than it was: a step of the model cannot be taken any more.
  expect(found.states).toBeGreaterThan(statesMin);
}

async function expectBroken(model: string, defines: readonly string[]): Promise<void> {
  const found = await search(model, { defines, shortest: true });
  expect(found.broken, found.output).toMatch(/^assertion violated/);
}

describe.skipIf(missing !== undefined)(`the model of coherence${note}`, () => {
  test.each([
    ["copies in the process, two writes", COPIES, 1_300_000],
    ["copies in the process, three writes", [...FAULTS, "ASK", "WRITES=3", "BOUND=1"], 100_000],
    [
      "copies of the shared tier, two writes",
      [...FAULTS, "SHARED", "ROLL", "POLL_SPLIT"],
      4_000_000,
    ],
    [
      "copies of the shared tier, three writes",
      ["RESTART", "SHARED", "ROLL", "WRITES=3", "BOUND=1"],
      6_000_000,
    ],
    [
      "both, with announcements",
      ["RESTART", "CRASH", "SHARED", "ROLL", "ASK", "BUS", "BOUND=1"],
      300_000,
    ],
    ["one server shows nothing older than it has shown", MONOTONIC, 100_000],
  ])(
    "no state of it is wrong: %s",
    (_, defines, statesMin) => expectProof("coherence.pml", defines, statesMin),
    SEARCH_TIMEOUT_MS,
  );

  test.each([
    ["something old is served within the bound", 1],
    ["the newest version is taken from the shared tier", 2],
    ["the newest version is refused there", 3],
    ["copies are dropped over a gap", 4],
  ])(
    "it comes up that %s",
    (_, situation) => expectBroken("coherence.pml", [...SHARED, `REACH=${situation}`]),
    SEARCH_TIMEOUT_MS,
  );

  // BOUND_ONLY: each of them breaks the bound itself, not only what the follower has seen.
  test.each([
    ["NO_TOKEN", "without fill tokens"],
    ["NO_FLUSH", "without a flush over a gap"],
    ["BUS_ONLY", "with announcements in place of the log"],
    ["READ_BY_ID", "with the log read by id"],
    ["UP_TO_XMAX", "with a snapshot trusted up to its xmax"],
    ["FROM_ANSWER", "with the proof counted from the answer"],
    ["TIMER", "with a timer in place of the deadline"],
    ["WALL_CLOCK", "with versions from wall clocks"],
  ])(
    "copies in the process are too old, %s %s",
    (define) => expectBroken("coherence.pml", [...COPIES, "BOUND_ONLY", define]),
    SEARCH_TIMEOUT_MS,
  );

  test.each([
    ["NO_TABLE", "without a look at the log"],
    ["NO_PLACE", "without the place a copy is proven at"],
    ["NO_VERSION_CHECK", "without a comparison of versions"],
    ["GAP_SPARES_TABLE", "with changes called complete over a gap"],
    ["ROLL_BEFORE_POLL", "with a segment called complete from before the poll that began it"],
    ["UP_TO_XMAX", "with a snapshot trusted up to its xmax"],
    ["BUS_ONLY", "with announcements in place of the log"],
    ["READ_BY_ID", "with the log read by id"],
    ["WALL_CLOCK", "with versions from wall clocks"],
  ])(
    "copies of the shared tier are too old, %s %s",
    (define) => expectBroken("coherence.pml", [...SHARED, "BOUND_ONLY", define]),
    SEARCH_TIMEOUT_MS,
  );

  test.each([
    ["FORGETFUL", "when what it was shown leaves no trace"],
    ["SHARED_NOT_NOTED", "when what came from the shared tier is not noted"],
  ])(
    "a server shows older after newer, %s %s",
    (define) => expectBroken("coherence.pml", [...MONOTONIC, define]),
    SEARCH_TIMEOUT_MS,
  );
});

describe.skipIf(missing !== undefined)(`the model of the rules inside Redis${note}`, () => {
  test(
    "they keep old values out as long as Redis remembers and every commit is told",
    () => expectProof("shared-tier.pml", [], 100_000),
    SEARCH_TIMEOUT_MS,
  );

  test.each([
    ["FAILOVER", "after a failover to an older state"],
    ["WRITER_DIES", "when a writer dies before it tells Redis"],
    ["FILL_HOLE", "when a late command may fill a hole"],
    ["NO_LEASE", "when a fill needs no lease, being newer is enough"],
  ])(
    "they do not, %s %s",
    (define) => expectBroken("shared-tier.pml", [define]),
    SEARCH_TIMEOUT_MS,
  );
});
