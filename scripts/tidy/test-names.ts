import ts from "typescript";
import { isTest } from "./source-tree.ts";
import type { Problem, Rule } from "./source-tree.ts";

const SUITES = /^(describe|suite|describe[A-Z]\w*)$/;
const TESTS = /^(test|it)$/;
/** A title of `test.each` is as many names as its table has rows. */
const PLACEHOLDER = /%[sdifjoc#]|\$\w/;

interface Named {
  readonly name: string;
  readonly line: number;
}

/** The leftmost name of `test`, `test.each(…)` or `describe.skipIf(…)`. */
function calleeName(expression: ts.Expression): string | undefined {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isPropertyAccessExpression(expression)) return calleeName(expression.expression);
  if (ts.isCallExpression(expression)) return calleeName(expression.expression);
  return undefined;
}

function literal(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function testsIn(source: ts.SourceFile): Named[] {
  const found: Named[] = [];
  const visit = (node: ts.Node, outer: string): void => {
    let inner = outer;
    if (ts.isCallExpression(node)) {
      const callee = calleeName(node.expression) ?? "";
      const title = node.arguments.map(literal).find((text) => text !== undefined);
      if (title !== undefined && TESTS.test(callee) && !PLACEHOLDER.test(title)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
        found.push({ name: `${outer}${title}`, line: line + 1 });
      }
      if (title !== undefined && SUITES.test(callee)) inner = `${outer}${title} > `;
    }
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(source, "");
  return found;
}

/** Two tests of one name: a report cannot tell which of them failed. */
export const testNames: Rule = (tree) =>
  tree.files.filter(isTest).flatMap((file): Problem[] => {
    const text = tree.read(file) ?? "";
    const seen = new Map<string, number>();
    return testsIn(ts.createSourceFile(file, text, ts.ScriptTarget.Latest)).flatMap(
      ({ name, line }) => {
        const first = seen.get(name);
        if (first === undefined) {
          seen.set(name, line);
          return [];
        }
        return [{ file, line, message: `the test "${name}" has the name of line ${first}` }];
      },
    );
  });
