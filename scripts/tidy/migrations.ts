import type { Problem, Rule } from "./source-tree.ts";

const FOLDER = "packages/memory/sql/";
const NAME = /^(\d{6})-[a-z0-9]+(?:-[a-z0-9]+)*\.sql$/;

/** Migrations are numbered from 000001 without a gap or a double: they run in that order. */
export const migrations: Rule = (tree) => {
  const names = tree.files
    .filter((file) => file.startsWith(FOLDER))
    .map((file) => file.slice(FOLDER.length))
    .toSorted();
  return names.flatMap((name, index): Problem[] => {
    const number = NAME.exec(name)?.[1];
    const expected = String(index + 1).padStart(6, "0");
    if (number === expected) return [];
    const message =
      number === undefined
        ? "expected a name such as 000002-add-column.sql"
        : `expected number ${expected}: numbers are consecutive from 000001`;
    return [{ file: `${FOLDER}${name}`, message }];
  });
};
