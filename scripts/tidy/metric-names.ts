import { isTest, isTypeScript, matches } from "./source-tree.ts";
import type { Problem, Rule } from "./source-tree.ts";

const PAGE = "docs/reference/metrics.md";
const NAME = /"(cherry_[a-z0-9_]+)"/g;
const SHIPPED = /^packages\/(memory|api)\/src\//;

/** Every metric that the product exposes is on the page of metrics, and no other is. */
export const metricNames: Rule = (tree) => {
  const page = tree.read(PAGE) ?? "";
  const documented = new Set(
    matches(page, /`(cherry_[a-z0-9_]+)`/g).map(({ match }) => match[1] ?? ""),
  );
  const exposed = new Set<string>();
  const problems: Problem[] = [];
  for (const file of tree.files) {
    if (!SHIPPED.test(file) || !isTypeScript(file) || isTest(file)) continue;
    for (const { line, match } of matches(tree.read(file) ?? "", NAME)) {
      const name = match[1] ?? "";
      exposed.add(name);
      if (!documented.has(name))
        problems.push({ file, line, message: `${name} is not in ${PAGE}` });
    }
  }
  for (const name of documented) {
    if (!exposed.has(name)) problems.push({ file: PAGE, message: `${name} is exposed nowhere` });
  }
  return problems;
};
