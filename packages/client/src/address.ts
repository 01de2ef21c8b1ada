import { CherryError } from "./cherry-error.ts";

/** The root namespace as one URL segment: "/" alone, which no namespace can be. */
const ROOT_SEGMENT = "%2F";

/** `base` and what is below it, joined by "/". */
export function joinPath(base: string, path: string | readonly string[]): string {
  const segments = typeof path === "string" ? (path === "" ? [] : path.split("/")) : path;
  for (const segment of segments) {
    // URL parsers rewrite "." and ".." also when they are percent-encoded.
    if (segment === "" || segment === "." || segment === ".." || segment.includes("/"))
      throw new CherryError(
        "INVALID_NAMESPACE",
        `namespace segment ${JSON.stringify(segment)}: expected text without "/", not "", "." or ".."`,
      );
  }
  return [...(base === "" ? [] : [base]), ...segments].join("/");
}

export function namespacePath(namespace: string): string {
  const segment = namespace === "" ? ROOT_SEGMENT : encoded(namespace, "INVALID_NAMESPACE");
  return `/v1/namespaces/${segment}`;
}

export function keySegment(key: string): string {
  if (key === "" || key === "." || key === "..")
    throw new CherryError(
      "INVALID_KEY",
      `key ${JSON.stringify(key)}: "", "." and ".." are no keys`,
    );
  return encoded(key, "INVALID_KEY");
}

function encoded(text: string, code: "INVALID_KEY" | "INVALID_NAMESPACE"): string {
  try {
    return encodeURIComponent(text);
  } catch (cause) {
    throw new CherryError(code, "expected text without lone surrogates", { cause });
  }
}
