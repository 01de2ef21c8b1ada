import { referencePages } from "./reference/pages.ts";
import { expandOnly } from "./tidy/expand-only.ts";
import { fileSize } from "./tidy/file-size.ts";
import { links } from "./tidy/links.ts";
import { leftovers } from "./tidy/leftovers.ts";
import { functionsStandOnce, migrations } from "./tidy/migrations.ts";
import { metricNames } from "./tidy/metric-names.ts";
import { settingNames } from "./tidy/setting-names.ts";
import { readTree } from "./tidy/source-tree.ts";
import type { Problem, Rule } from "./tidy/source-tree.ts";
import { testNames } from "./tidy/test-names.ts";
import { ROOT } from "./lib/workspace.ts";

const pages = await referencePages();

/** The generated pages of docs/reference say what the code says. */
const reference: Rule = (tree) =>
  pages.flatMap(({ file, text }): Problem[] =>
    tree.read(file) === text ? [] : [{ file, message: "out of date: run pnpm docs:reference" }],
  );

const RULES: readonly Rule[] = [
  fileSize,
  leftovers,
  links,
  migrations,
  functionsStandOnce,
  expandOnly,
  testNames,
  settingNames,
  metricNames,
  reference,
];

const tree = readTree(ROOT);
const problems = RULES.flatMap((rule) => rule(tree));
for (const { file, line, message } of problems) {
  console.log(`${file}${line === undefined ? "" : `:${line}`}: ${message}`);
}
if (problems.length > 0) console.log(`\n${problems.length} things are not in order`);
process.exitCode = problems.length === 0 ? 0 : 1;
