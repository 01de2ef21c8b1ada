import { existsSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { runCommand } from "./lib/command.ts";
import { localProgram, publishedPackages, ROOT } from "./lib/workspace.ts";
import type { WorkspacePackage } from "./lib/workspace.ts";

const HELP = `pnpm build

Compiles every published package into its dist folder, each after those it depends on, and checks
that every file which its package.json exports is there. Takes no options but --help.`;

/** Every file that a package.json names in `exports` or `bin`, whatever the nesting. */
function namedFiles(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith("./") ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(namedFiles);
}

async function build(each: WorkspacePackage): Promise<boolean> {
  // A file whose source is gone would otherwise be published for ever.
  rmSync(join(each.folder, "dist"), { recursive: true, force: true });
  const { code, output, elapsedMs } = await runCommand(
    localProgram("tsc"),
    ["-p", join(each.folder, "tsconfig.build.json"), "--pretty", "false"],
    { cwd: ROOT, output: "keep" },
  );
  const absent = namedFiles([each.manifest.exports, each.manifest.bin]).filter(
    (file) => !existsSync(join(each.folder, file)),
  );
  const ok = code === 0 && absent.length === 0;
  const where = relative(ROOT, each.folder);
  console.log(`${ok ? "built " : "FAILED"} ${where} (${(elapsedMs / 1000).toFixed(1)} s)`);
  if (output !== "") console.log(output.trimEnd());
  for (const file of absent) console.log(`  package.json names ${file}, which was not built`);
  return ok;
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.length > 0) {
    console.log(HELP);
    return args[0] === "--help" ? 0 : 2;
  }
  for (const each of publishedPackages()) {
    if (!(await build(each))) return 1;
  }
  return 0;
}

process.exitCode = await main();
