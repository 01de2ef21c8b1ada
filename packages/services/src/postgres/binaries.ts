import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where PostgreSQL's programs are, and as whom they must run. */
export interface PostgresBinaries {
  readonly folder: string;
  /** Set when we are root, which PostgreSQL refuses to run as. */
  readonly runAs: { readonly uid: number; readonly gid: number } | undefined;
}

const DEBIAN_FOLDER = "/usr/lib/postgresql";

function output(command: string, args: readonly string[]): string | undefined {
  try {
    const text = execFileSync(command, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text.trim() === "" ? undefined : text.trim();
  } catch {
    // Not installed and "no such user" both mean: not to be had here.
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps the server's programs off PATH, one folder a major version: the newest first. */
function debianFolders(): string[] {
  if (!existsSync(DEBIAN_FOLDER)) return [];
  return readdirSync(DEBIAN_FOLDER)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_FOLDER, version, "bin"));
}

function pathFolder(): string[] {
  const initdb = output("/bin/sh", ["-c", "command -v initdb"]);
  return initdb === undefined ? [] : [dirname(initdb)];
}

function userIds(name: string): PostgresBinaries["runAs"] {
  const uid = output("id", ["-u", name]);
  const gid = output("id", ["-g", name]);
  return uid === undefined || gid === undefined
    ? undefined
    : { uid: Number(uid), gid: Number(gid) };
}

/** The programs to use, or a sentence on why there are none. */
export function findPostgres(): PostgresBinaries | string {
  const folder = [...debianFolders(), ...pathFolder()].find((candidate) =>
    ["initdb", "postgres"].every((program) => isExecutable(join(candidate, program))),
  );
  if (folder === undefined) {
    return `no PostgreSQL server programs in ${DEBIAN_FOLDER}/*/bin or on PATH (Debian: apt-get install postgresql)`;
  }
  if (process.getuid?.() !== 0) return { folder, runAs: undefined };
  const runAs = userIds("postgres") ?? userIds("nobody");
  if (runAs === undefined) {
    return "PostgreSQL refuses to run as root, and there is no user postgres to run it as";
  }
  return { folder, runAs };
}

/** undefined when `startPostgres` can work on this machine, otherwise why not. */
export function postgresAvailable(): string | undefined {
  const found = findPostgres();
  return typeof found === "string" ? found : undefined;
}
