import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./lib/workspace.ts";
import { referencePages } from "./reference/pages.ts";

const HELP = `pnpm docs:reference

Writes the pages of docs/reference that are made from the code: errors, settings, metrics.
pnpm check fails when one is out of date. Takes no options but --help.`;

const args = process.argv.slice(2);
if (args.length > 0) {
  console.log(HELP);
  process.exitCode = args[0] === "--help" ? 0 : 2;
} else {
  for (const { file, text } of await referencePages()) {
    mkdirSync(dirname(join(ROOT, file)), { recursive: true });
    writeFileSync(join(ROOT, file), text);
    console.log(`wrote ${file}`);
  }
}
