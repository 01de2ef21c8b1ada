import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each([
  ["30s", 30],
  ["15m", 900],
  ["24h", 86_400],
  ["7d", 604_800],
])("%s is %i seconds", (text, seconds) => {
  expect(parseDuration(text, "--ttl")).toBe(seconds);
});

test.each(["", "0m", "1.5h", "-1d", "7", "d", "7w", "1h30m", "99999999999d"])(
  "%j is no duration",
  (text) => {
    expect(() => parseDuration(text, "--ttl")).toThrow("--ttl: expected a duration");
  },
);
