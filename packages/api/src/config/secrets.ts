import { readFileSync } from "node:fs";

/** HS256 is no stronger than its secret: RFC 7518 asks for 256 bits. */
const SECRET_BYTES_MIN = 32;

/** The secrets of a comma- or line-separated list, or what is wrong with it. */
export function parseSecrets(
  text: string,
): { readonly secrets: readonly string[] } | { readonly problem: string } {
  const secrets = text
    .split(/[,\r\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (secrets.length === 0) return { problem: "expected at least one secret; given none" };
  const short = secrets.findIndex((secret) => Buffer.byteLength(secret) < SECRET_BYTES_MIN);
  if (short === -1) return { secrets };
  return {
    problem: `expected secrets of ${SECRET_BYTES_MIN} bytes or more; the one at place ${short + 1} is shorter`,
  };
}

/** The same from a file. */
export function readSecrets(path: string): ReturnType<typeof parseSecrets> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return { problem: `expected a readable file; given ${JSON.stringify(path)}` };
  }
  return parseSecrets(text);
}
