import { isTypeScript } from "./source-tree.ts";
import type { Problem, Rule } from "./source-tree.ts";

const LINES_MAX = 400;

/** Files that are longer for a reason, which stands beside them. */
const LONGER: { readonly [file: string]: string } = {};

/** One noun a file: a longer one hides a second noun. */
export const fileSize: Rule = (tree) =>
  tree.files.filter(isTypeScript).flatMap((file): Problem[] => {
    const lines = (tree.read(file) ?? "").trimEnd().split("\n").length;
    if (lines <= LINES_MAX || LONGER[file] !== undefined) return [];
    return [{ file, message: `${lines} lines, more than ${LINES_MAX}: find the missing noun` }];
  });
