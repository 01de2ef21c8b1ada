import { format } from "prettier";
import { expect, test } from "vitest";
import { formatMarkdown, formatTable } from "./format.ts";
import { atLeast, judge, valueAtMost } from "./result.ts";

const results = [
  judge({
    name: "get (ours)",
    value: 3_430_000,
    unit: "/s",
    peer: "async Map",
    peerValue: 4_480_123,
    ratio: 0.765,
    goal: atLeast(0.5),
    note: "in the same words",
  }),
  judge({
    name: "decode",
    value: 3.21,
    unit: "µs",
    peer: "bentocache",
    peerValue: 3,
    ratio: 0.93,
    goal: valueAtMost(3),
    note: "in the same words",
  }),
];
const report = { suite: "core", machine: "2 × CPU", node: "24.0.0", date: "2026-01-01", results };

test("ratios come first, with goal and verdict", () => {
  const lines = formatTable(report).split("\n");
  expect(lines[3]).toMatch(/^0\.765 +ratio ≥ 0\.5 +met +get \(ours\) +3,430,000 \/s +async Map/);
  expect(lines[4]).toMatch(/^ *0\.93 +value ≤ 3 +MISSED +decode +3\.21 µs/);
  expect(lines).toContain("get (ours); decode: in the same words");
  expect(lines.at(-1)).toBe("1 of 2 goals met");
});

test("the Markdown is as the formatter leaves it", async () => {
  const markdown = `${formatMarkdown(report, "pnpm bench core")}\n`;
  expect(await format(markdown, { parser: "markdown", printWidth: 100 })).toBe(markdown);
});
