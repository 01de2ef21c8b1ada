import { expect, test } from "vitest";
import { SETTINGS } from "../reference/settings.ts";
import { metricNames } from "./metric-names.ts";
import { settingNames } from "./setting-names.ts";
import { treeOf } from "./source-tree.ts";

const PARSER = "packages/api/src/config/load.ts";
const all = SETTINGS.map(({ name }) => `"${name}"`).join("\n");

test("a variable that is parsed and not documented is reported with its line", () => {
  expect(settingNames(treeOf({ [PARSER]: all }))).toEqual([]);
  const more = settingNames(treeOf({ [PARSER]: `${all}\n  CHERRY_SECRET_KNOB: z.string(),\n` }));
  expect(more).toHaveLength(1);
  expect(more[0]).toMatchObject({ file: PARSER, line: SETTINGS.length + 1 });
});

test("a variable that is documented and not parsed is reported", () => {
  const without = all.replace('"PORT"', "");
  expect(settingNames(treeOf({ [PARSER]: without }))).toMatchObject([
    { message: "PORT is parsed nowhere" },
  ]);
});

test("error codes in a parser are no variables", () => {
  expect(settingNames(treeOf({ [PARSER]: `${all}\n"INVALID_CONFIG"` }))).toEqual([]);
});

test("metrics and their page name the same", () => {
  const code = { "packages/memory/src/metrics/prometheus.ts": 'name: "cherry_hits_total"' };
  const page = "docs/reference/metrics.md";
  expect(metricNames(treeOf({ ...code, [page]: "- `cherry_hits_total`: hits" }))).toEqual([]);
  expect(metricNames(treeOf(code))).toHaveLength(1);
  expect(
    metricNames(treeOf({ ...code, [page]: "`cherry_hits_total` `cherry_gone_total`" })),
  ).toMatchObject([{ file: page, message: "cherry_gone_total is exposed nowhere" }]);
});
