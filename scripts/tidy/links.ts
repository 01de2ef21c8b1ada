import { posix } from "node:path";
import { matches } from "./source-tree.ts";
import type { Problem, Rule } from "./source-tree.ts";

const LINK = /\]\(([^)\s]+)\)/g;
const OUTSIDE = /^([a-z]+:|#|\/)/;

/** A relative link in a page leads to a file or folder of the checkout. */
export const links: Rule = (tree) => {
  const folders = new Set(tree.files.flatMap(parents));
  const exists = (path: string): boolean => folders.has(path) || tree.read(path) !== undefined;
  return tree.files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file): Problem[] =>
      matches(tree.read(file) ?? "", LINK).flatMap(({ line, match }) => {
        const target = (match[1] ?? "").replace(/#.*$/, "");
        if (target === "" || OUTSIDE.test(target)) return [];
        const path = posix.join(posix.dirname(file), target).replace(/\/$/, "");
        return exists(path) ? [] : [{ file, line, message: `no such file: ${target}` }];
      }),
    );
};

function parents(file: string): string[] {
  const found: string[] = [];
  for (let path = posix.dirname(file); path !== "."; path = posix.dirname(path)) found.push(path);
  return found;
}
