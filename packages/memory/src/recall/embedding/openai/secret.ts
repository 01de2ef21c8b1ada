import { readFile } from "node:fs/promises";

/** A secret that may change while we run. */
export type Secret = () => Promise<string | undefined>;

/**
 * The secret in a file, read for every use: a rotation needs no restart, and the read costs nothing
 * beside what the secret is used for. While the file is missing or empty, as it is for a moment when
 * it is rewritten, the last one read stays in force.
 */
export function secretInFile(path: string): Secret {
  let last: string | undefined;
  return async () => {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text.trim() !== "") last = text.trim();
    return last;
  };
}

export function fixedSecret(secret: string | undefined): Secret {
  return () => Promise.resolve(secret);
}
