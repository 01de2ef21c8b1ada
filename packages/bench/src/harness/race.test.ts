import { expect, test } from "vitest";
import { DEFAULT_PLAN } from "./contender.ts";
import { race } from "./race.ts";
import { samplesOf } from "./statistics.ts";

const PLAN = { ...DEFAULT_PLAN, rounds: 3, roundMs: 1, warmUpMs: 1, chunkMs: 1 };
const module = new URL("./race-fixture.ts", import.meta.url).href;

test("every contender is measured in every round, in a process of its own", async () => {
  const entrants = ["first", "second"].map((name) => ({
    name,
    module,
    contender: "process id",
    options: {},
  }));
  const rounds = await race(entrants, PLAN);
  const ids = entrants.map(({ name }) => samplesOf(rounds, name).map((one) => one.figures["pid"]));
  expect(ids.map((each) => each.length)).toEqual([3, 3]);
  expect(new Set(ids.flat()).size).toBe(2);
  expect(ids.flat()).not.toContain(process.pid);
});

test("a contender that fails ends the race with its own message", async () => {
  const entrant = { name: "broken", module, contender: "broken", options: {} };
  await expect(race([entrant], PLAN)).rejects.toThrow("broken: Error: cannot be made");
});
