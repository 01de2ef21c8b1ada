import { readFileSync } from "node:fs";

/**
 * The key, from its file if there is one: read for each new connection, so that rotation needs no
 * restart. A file that cannot be read counts as no key: the server then says what it misses.
 */
export function apiKeyFrom(key: string | undefined, file: string | undefined): string | undefined {
  if (file === undefined) return key;
  try {
    const text = readFileSync(file, "utf8").trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
