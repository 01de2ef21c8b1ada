import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One thing that is not in order. */
export interface Problem {
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** The files of the checkout, read once. Paths are relative to its root, with `/`. */
export interface SourceTree {
  readonly files: readonly string[];
  read(file: string): string | undefined;
}

/** A rule looks and reports; it changes nothing. */
export type Rule = (tree: SourceTree) => readonly Problem[];

/** What git knows or would add: so neither builds nor dependencies. */
export function readTree(root: string): SourceTree {
  const output = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
    { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  const contents = new Map<string, string | undefined>();
  const read = (file: string): string | undefined => {
    if (!contents.has(file)) contents.set(file, readText(join(root, file)));
    return contents.get(file);
  };
  const files = output.split("\0").filter((file) => file !== "" && read(file) !== undefined);
  return { files, read };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Deleted, and not yet committed as such.
    return undefined;
  }
}

/** A tree of given texts, for tests. */
export function treeOf(contents: { readonly [file: string]: string }): SourceTree {
  return { files: Object.keys(contents), read: (file) => contents[file] };
}

export function isTypeScript(file: string): boolean {
  return /\.tsx?$/.test(file) && !file.endsWith(".d.ts");
}

export function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file);
}

/** Every place where `pattern` (global) matches, with its line from 1. */
export function matches(
  text: string,
  pattern: RegExp,
): readonly { readonly line: number; readonly match: RegExpExecArray }[] {
  return [...text.matchAll(pattern)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length,
    match,
  }));
}
