import { ERROR_CODES } from "../../packages/memory/src/model/errors.ts";
import { SETTINGS } from "../reference/settings.ts";
import { isTest, matches } from "./source-tree.ts";
import type { Problem, Rule, SourceTree } from "./source-tree.ts";

/** Where variables are parsed; nothing else may read the environment. */
const PARSERS = /^packages\/(memory|api)\/src\/config(\/|\.ts$)/;
/** A quoted name, or one that is a property of a schema. */
const VARIABLE = /(?:"|^\s*)(HOST|PORT|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:"|: z\b)/gm;

function parsedNames(tree: SourceTree): ReadonlyMap<string, Omit<Problem, "message">> {
  const found = new Map<string, Omit<Problem, "message">>();
  for (const file of tree.files.filter((name) => PARSERS.test(name) && !isTest(name))) {
    for (const { line, match } of matches(tree.read(file) ?? "", VARIABLE)) {
      const name = match[1] ?? "";
      // Error codes look like variables and are none.
      if (!(name in ERROR_CODES) && !found.has(name)) found.set(name, { file, line });
    }
  }
  return found;
}

/** Every variable that is parsed is documented, and the other way round. */
export const settingNames: Rule = (tree) => {
  const parsed = parsedNames(tree);
  const documented = new Set(
    SETTINGS.flatMap(({ name, fileForm }) => (fileForm === undefined ? [name] : [name, fileForm])),
  );
  const undocumented = [...parsed].flatMap(([name, place]): Problem[] =>
    documented.has(name)
      ? []
      : [{ ...place, message: `${name} is not in scripts/reference/settings.ts` }],
  );
  const unread = SETTINGS.flatMap(({ name }): Problem[] =>
    parsed.has(name)
      ? []
      : [{ file: "scripts/reference/settings.ts", message: `${name} is parsed nowhere` }],
  );
  return [...undocumented, ...unread];
};
