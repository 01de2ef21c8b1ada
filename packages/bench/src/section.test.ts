import { expect, test } from "vitest";
import { replaceSection } from "./section.ts";

const TEXT = "before\n<!-- bench:core -->\nold\n<!-- /bench:core -->\nafter\n";

test("only what stands between the markers is replaced", () => {
  const once = replaceSection(TEXT, "core", "new");
  expect(once).toBe("before\n<!-- bench:core -->\n\nnew\n\n<!-- /bench:core -->\nafter\n");
  expect(replaceSection(once, "core", "new")).toBe(once);
});

test("a file without the markers is refused rather than overwritten", () => {
  expect(() => replaceSection("no markers", "core", "new")).toThrow("bench:core");
});
