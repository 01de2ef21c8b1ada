import { expect, test } from "vitest";
import { runSteps } from "./steps.ts";
import type { Step } from "./steps.ts";

function step(name: string, run: Step["run"]): Step {
  return { name, what: name, run };
}

test("runs what follows a failed step, and one that throws is a failure", async () => {
  const results = await runSteps(
    [
      step("first", async () => ({ code: 1, output: "bad" })),
      step("second", () => Promise.reject(new Error("broken"))),
      step("third", async () => ({ code: 0, output: "" })),
    ],
    1,
    () => {},
  );
  expect(results.map(({ name, ok }) => [name, ok])).toEqual([
    ["first", false],
    ["second", false],
    ["third", true],
  ]);
  expect(results[1]?.output).toContain("broken");
});

test("keeps the order of the steps in its results, whichever ends first", async () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const ended: string[] = [];
  const results = await runSteps(
    [
      step("slow", async () => {
        await gate;
        return { code: 0, output: "" };
      }),
      step("quick", async () => {
        release();
        return { code: 0, output: "" };
      }),
    ],
    2,
    ({ name }) => ended.push(name),
  );
  expect(results.map(({ name }) => name)).toEqual(["slow", "quick"]);
  expect(ended).toHaveLength(2);
});
