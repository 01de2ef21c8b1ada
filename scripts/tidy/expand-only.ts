import { FIRST_RELEASE_MIGRATION } from "./migrations.ts";
import type { Problem, Rule } from "./source-tree.ts";

const FILE = /^packages\/memory\/sql\/(\d{6})-[a-z0-9-]+\.sql$/;
const PACKAGE = "packages/memory/package.json";
const CONTRACTS = /^-- contracts: unused since (\d+)\.(\d+)\.(\d+)$/m;
const NAME = String.raw`(?:\{\{schema\}\}\.)?"?(\w+)"?`;
const CREATED = new RegExp(
  `^create (?:unlogged )?(?:table|sequence) (?:if not exists )?${NAME}`,
  "i",
);
const ALTERED = new RegExp(
  `^alter (?:table|sequence) (?:if exists )?(?:only )?${NAME} (.*)$`,
  "is",
);
const UNIQUE = new RegExp(`^create unique index .* on (?:only )?${NAME}`, "is");

/** What a server of the release before does not notice. All else is refused: better once too often. */
const EXPANDS: readonly RegExp[] = [
  /^create (?:unlogged )?table\b/i,
  /^create (?:sequence|index|extension|type|view|trigger)\b/i,
  /^create (?:or replace )?function\b/i,
  /^(?:insert into|update|select|comment on|grant)\b/i,
];
const EXPANDING_ACTION =
  /^(?:add column\b(?!.*\bnot null\b)|add column\b.*\bdefault\b|alter column \S+ set (?:default|storage|statistics)\b|set \()/is;

/**
 * Both releases run on one database while servers are replaced. So a migration only adds; one that
 * takes something away names in its head the release that no longer used it, which must be out.
 */
export const expandOnly: Rule = (tree) => {
  const release = releaseOf(tree.read(PACKAGE) ?? "");
  return tree.files.flatMap((file): Problem[] => {
    const number = Number(FILE.exec(file)?.[1]);
    if (!(number > FIRST_RELEASE_MIGRATION)) return [];
    const text = tree.read(file) ?? "";
    const unused = CONTRACTS.exec(text)?.slice(1).map(Number);
    if (unused !== undefined) return isBefore(unused, release) ? [] : [tooEarly(file, unused)];
    return takenAway(text).map((statement) => ({
      file,
      message: `"${statement.slice(0, 60)}" may break servers of the release before: add first, and take away a release later, under "-- contracts: unused since X.Y.Z"`,
    }));
  });
};

function tooEarly(file: string, unused: readonly number[]): Problem {
  const message = `release ${unused.join(".")} is not out: what it stopped using can be taken away in a later one`;
  return { file, message };
}

function releaseOf(packageJson: string): readonly number[] {
  return (/"version": "(\d+)\.(\d+)\.(\d+)/.exec(packageJson)?.slice(1) ?? []).map(Number);
}

function isBefore(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at !== -1 && (one[at] ?? 0) < (other[at] ?? 0);
}

function takenAway(text: string): readonly string[] {
  const statements = statementsOf(text);
  const made = new Set(statements.flatMap((each) => CREATED.exec(each)?.[1] ?? []));
  return statements.filter((statement) => {
    const altered = ALTERED.exec(statement);
    if (altered !== null)
      return !made.has(altered[1] ?? "") && !actionsOf(altered[2] ?? "").every(isExpanding);
    const unique = UNIQUE.exec(statement);
    if (unique !== null) return !made.has(unique[1] ?? "");
    return !EXPANDS.some((pattern) => pattern.test(statement));
  });
}

function isExpanding(action: string): boolean {
  return EXPANDING_ACTION.test(action);
}

/** Split at the commas that are in no parentheses. */
function actionsOf(text: string): readonly string[] {
  const actions: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [at, letter] of [...text].entries()) {
    if (letter === "(") depth += 1;
    else if (letter === ")") depth -= 1;
    else if (letter === "," && depth === 0) {
      actions.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...actions, text.slice(start).trim()];
}

/** Without comments, and with texts and bodies of functions emptied: a semicolon there ends nothing. */
function statementsOf(text: string): readonly string[] {
  return text
    .replaceAll(/--[^\n]*|\/\*.*?\*\/|'(?:[^']|'')*'|(\$\w*\$).*?\1/gs, (found) =>
      found.startsWith("-") || found.startsWith("/") ? " " : "''",
    )
    .split(";")
    .map((statement) => statement.replaceAll(/\s+/g, " ").trim())
    .filter((statement) => statement !== "");
}
