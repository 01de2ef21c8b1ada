import { readFile } from "node:fs/promises";
import { MemoryError } from "../model/errors.ts";
import { splitList } from "./environment.ts";

/**
 * The encryption keys in a file. One that holds none is refused: a file that is being rewritten is
 * empty for a moment, and without keys everything would be stored in clear.
 */
export async function readKeyFile(path: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new MemoryError(
      "INVALID_CONFIG",
      `${path}: expected a readable file of encryption keys`,
      {
        cause,
      },
    );
  }
  const keys = splitList(text);
  if (keys.length > 0) return keys;
  throw new MemoryError("INVALID_CONFIG", `${path}: expected encryption keys, found none`);
}
