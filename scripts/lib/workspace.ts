import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The root of the checkout. */
export const ROOT: string = resolve(import.meta.dirname, "../..");

/** A program that the root's dependencies bring, such as `vitest`. */
export function localProgram(name: string): string {
  return join(ROOT, "node_modules", ".bin", name);
}

/** What these scripts need of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly private: boolean;
  readonly dependencies: readonly string[];
  readonly exports: unknown;
  readonly bin: unknown;
}

export interface WorkspacePackage {
  readonly folder: string;
  readonly manifest: Manifest;
}

function names(value: unknown): string[] {
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}

function readManifest(folder: string): Manifest {
  const json: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (typeof json !== "object" || json === null || !("name" in json)) {
    throw new Error(`${folder}/package.json has no name`);
  }
  return {
    name: String(json.name),
    private: "private" in json && json.private === true,
    dependencies: "dependencies" in json ? names(json.dependencies) : [],
    exports: "exports" in json ? json.exports : undefined,
    bin: "bin" in json ? json.bin : undefined,
  };
}

/** All packages, each after those that it depends on. */
function workspacePackages(): readonly WorkspacePackage[] {
  const parent = join(ROOT, "packages");
  const waiting = readdirSync(parent)
    .toSorted()
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: readManifest(folder) }));
  const ordered: WorkspacePackage[] = [];
  while (waiting.length > 0) {
    const unmet = new Set(waiting.map((each) => each.manifest.name));
    const next = waiting.findIndex(
      (each) => !each.manifest.dependencies.some((name) => unmet.has(name)),
    );
    if (next === -1) throw new Error(`packages depend on each other: ${[...unmet].join(", ")}`);
    ordered.push(...waiting.splice(next, 1));
  }
  return ordered;
}

/** Those that are published, and so built. */
export function publishedPackages(): readonly WorkspacePackage[] {
  return workspacePackages().filter((each) => !each.manifest.private);
}
