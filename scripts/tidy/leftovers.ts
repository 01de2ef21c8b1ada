import { isTest, isTypeScript, matches } from "./source-tree.ts";
import type { Problem, Rule } from "./source-tree.ts";

// Built from pieces, so that this file does not report itself.
const MARKS = new RegExp(`\\b(${["FIX" + "ME", "TO" + "DO", "XX" + "X"].join("|")})\\b`, "g");
const FOCUSED = /\b(?:test|it|describe|suite)\.only\b/g;

/** Nothing that its author meant to come back to. */
export const leftovers: Rule = (tree) =>
  tree.files
    .filter((file) => isTypeScript(file) || /\.(js|mjs|sql|sh|ya?ml)$/.test(file))
    .filter((file) => file !== "pnpm-lock.yaml")
    .flatMap((file): Problem[] => {
      const text = tree.read(file) ?? "";
      const marks = matches(text, MARKS).map(({ line, match }) => ({
        file,
        line,
        message: `${match[0]}: do it, or file an issue`,
      }));
      const focused = isTest(file) ? matches(text, FOCUSED) : [];
      return [
        ...marks,
        ...focused.map(({ line, match }) => ({
          file,
          line,
          message: `${match[0]} switches the other tests off`,
        })),
      ];
    });
