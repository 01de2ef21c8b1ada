import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "@cherry-ai/services";

const run = promisify(execFile);

const MODELS = fileURLToPath(new URL("../../model/", import.meta.url));
/** Room for the visited states; a search that needs more is cut off, which is no proof. */
const MEMORY_MB_MAX = 2048;
const DEPTH_MAX = 1_000_000;
/** Starting size of the table of visited states, a power of two; it grows. */
const TABLE_BITS = 22;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Why models cannot be searched here; undefined when they can. */
export function spinMissing(): string | undefined {
  for (const program of ["spin", "gcc"])
    try {
      execFileSync(program, [program === "spin" ? "-V" : "--version"], { stdio: "ignore" });
    } catch {
      return `${program} is not installed (Debian package ${program})`;
    }
  return undefined;
}

export interface Search {
  /** True: every state that can be reached was visited and none broke a property. */
  readonly complete: boolean;
  readonly states: number;
  /** The assertion that a state broke, and after how many steps. */
  readonly broken: string | undefined;
  readonly output: string;
}

export interface SearchOptions {
  /** Names of the model's own switches, as `NAME` or `NAME=value`. */
  readonly defines: readonly string[];
  /** Nearest states first, for the shortest way to an error; else by depth, which takes less memory. */
  readonly shortest?: boolean;
}

/** Searches one model of packages/memory/model with spin. */
export async function search(model: string, options: SearchOptions): Promise<Search> {
  const folder = temporaryFolder("spin");
  const inFolder = { cwd: folder.path, maxBuffer: OUTPUT_BYTES_MAX };
  const shortest = options.shortest === true;
  try {
    const defines = options.defines.map((define) => `-D${define}`);
    await run("spin", ["-a", ...defines, `${MODELS}${model}`], inFolder);
    const kind = shortest ? ["-O0", "-DBFS"] : ["-O2"];
    const limits = [`-DMEMLIM=${MEMORY_MB_MAX}`];
    await run("gcc", ["-w", "-DSAFETY", ...kind, ...limits, "-o", "pan", "pan.c"], inFolder);
    const args = [`-m${DEPTH_MAX}`, `-w${TABLE_BITS}`];
    const { stdout } = await run(`${folder.path}/pan`, args, inFolder);
    return readReport(stdout);
  } finally {
    folder.remove();
  }
}

function readReport(output: string): Search {
  const broken = /pan:\d+: (.*)/.exec(output)?.[1];
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0);
  const wasCut = /not completed|too small|out of memory|memory limit|MEMLIM/i.test(output);
  return { complete: errors === "0" && states > 0 && !wasCut, states, broken, output };
}
