import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { MemoryError } from "../../model/errors.ts";

/** One numbered file of SQL. Once released it is never changed. */
export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text with its line ends made uniform. */
  readonly checksum: string;
}

/** `src/tiers/postgres` and `dist/tiers/postgres` lie equally deep below the package. */
const FOLDER = new URL("../../../sql/", import.meta.url);
const FILE = /^(\d{6})-([a-z0-9-]+)\.sql$/;

/** The migrations of this build, in order: 1, 2, 3 … without a gap. */
export async function loadMigrations(folder: URL = FOLDER): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  const migrations: Migration[] = [];
  for (const file of files) {
    const match = FILE.exec(file);
    const id = Number(match?.[1]);
    if (match === null || id !== migrations.length + 1) {
      throw new MemoryError(
        "INVALID_CONFIG",
        `${JSON.stringify(file)} in ${fileURLToPath(folder)} is not the next migration; expected ${String(migrations.length + 1).padStart(6, "0")}-name.sql`,
      );
    }
    const text = (await readFile(new URL(file, folder), "utf8")).replaceAll("\r\n", "\n");
    const checksum = createHash("sha256").update(text).digest("hex");
    migrations.push({ id, name: match[2] ?? "", text, checksum });
  }
  return migrations;
}
