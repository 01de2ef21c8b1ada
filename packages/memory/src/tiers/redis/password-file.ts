import { readFileSync } from "node:fs";

/**
 * The password in a file, read anew for each connection, so that rotation needs no restart. One that
 * cannot be read counts as none: the server then says what it misses, and the next try reads again.
 */
export function passwordFrom(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
