import type { Problem, Rule } from "./source-tree.ts";

const FOLDER = "packages/memory/sql/";
const NAME = /^(\d{6})-[a-z0-9]+(?:-[a-z0-9]+)*\.sql$/;

/** The last migration of the first release: nothing older runs beside what made the tables. */
export const FIRST_RELEASE_MIGRATION = 6;
const FUNCTION = /^CREATE (?:OR REPLACE )?FUNCTION (\S+?)\(/gm;

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

/** Until there is a release a function is changed where it stands: whoever reads it reads all of it. */
export const functionsStandOnce: Rule = (tree) => {
  const first = new Map<string, string>();
  return tree.files
    .filter((file) => isOfFirstRelease(file))
    .toSorted()
    .flatMap((file): Problem[] =>
      [...(tree.read(file) ?? "").matchAll(FUNCTION)].flatMap(([, name = ""]) => {
        const place = first.get(name);
        first.set(name, place ?? file);
        if (place === undefined) return [];
        return [{ file, message: `${name} stands in ${place} already: change it there` }];
      }),
    );
};

function isOfFirstRelease(file: string): boolean {
  if (!file.startsWith(FOLDER)) return false;
  return Number(NAME.exec(file.slice(FOLDER.length))?.[1]) <= FIRST_RELEASE_MIGRATION;
}
