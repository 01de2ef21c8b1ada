import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** What the scripts of `.ci/tools` have built, each version in a folder of its own. */
function toolsFolder(): string {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return process.env["CHERRY_CI_CACHE"] || join(cache, "cherry-memory");
}

/** `CHERRY_TEST_…`, by which a test run is told where a tool is. Empty counts as unset. */
export function toolSetting(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** The newest version of a tool in the cache: the folder, or undefined. */
export function cachedTool(name: string): string | undefined {
  const folder = toolsFolder();
  if (!existsSync(folder)) return undefined;
  const byVersion = new Intl.Collator("en", { numeric: true });
  const newest = readdirSync(folder)
    .filter((entry) => entry.startsWith(`${name}-`))
    .toSorted(byVersion.compare)
    .at(-1);
  return newest === undefined ? undefined : join(folder, newest);
}
