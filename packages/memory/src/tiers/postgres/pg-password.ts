import pg from "pg";
import { readFile } from "node:fs/promises";
import { MemoryError } from "../../model/errors.ts";

/**
 * A client that reads its password from a file when the server asks for it, so that rotation needs no
 * restart. A `password` beside a `connectionString` would be lost: the driver puts the URL's over it,
 * even when the URL has none.
 */
export function clientWithPasswordFile(file: string): new (config?: pg.ClientConfig) => pg.Client {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config);
      Object.defineProperty(this, "password", {
        configurable: true,
        enumerable: false,
        writable: true,
        value: () => readPassword(file),
      });
    }
  };
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).replace(/\r?\n$/, "");
  } catch (cause) {
    throw new MemoryError(
      "STORE_UNAVAILABLE",
      `the database password file ${JSON.stringify(file)} cannot be read; expected a file with the password alone`,
      { field: "DATABASE_PASSWORD_FILE", cause },
    );
  }
}
