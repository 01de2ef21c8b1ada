import { readFileSync, writeFileSync } from "node:fs";

/** The text with what stands between the suite's markers replaced. */
export function replaceSection(text: string, suite: string, section: string): string {
  const begin = `<!-- bench:${suite} -->`;
  const end = `<!-- /bench:${suite} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`expected the markers ${begin} and ${end}, in this order`);
  return `${text.slice(0, from)}${begin}\n\n${section}\n\n${text.slice(to)}`;
}

export function writeSection(file: string, suite: string, section: string): void {
  writeFileSync(file, replaceSection(readFileSync(file, "utf8"), suite, section));
}
