import { MemoryError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { describe, exceedsBytes, quote, textFault } from "./text.ts";

/** A key as callers give it. Throws INVALID_KEY. */
export function checkKey(key: unknown, limits: Limits): string {
  if (typeof key !== "string")
    throw new MemoryError("INVALID_KEY", `key: expected a string, got ${describe(key)}`, {
      field: "key",
    });
  const fault = nameFault(key);
  if (fault !== undefined) throw refusal("INVALID_KEY", "key", key, fault);
  if (exceedsBytes(key, limits.keyBytes))
    throw refusal("INVALID_KEY", "key", key, `is over ${limits.keyBytes} bytes of UTF-8`);
  return key;
}

/**
 * A namespace as callers give it: segments, or the same joined by "/". Returns the canonical form;
 * `""` and `[]` are the root. Throws INVALID_NAMESPACE.
 */
export function checkNamespace(path: unknown, limits: Limits): string {
  if (path === "") return "";
  const segments: unknown = typeof path === "string" ? splitPath(path, limits) : path;
  if (!Array.isArray(segments))
    throw new MemoryError(
      "INVALID_NAMESPACE",
      `namespace: expected segments such as ["acme", "agent-7"] or "acme/agent-7", got ${describe(path)}`,
      { field: "namespace" },
    );
  checkSegmentCount(segments.length, limits);
  const joined = segments.map((segment: unknown, index) => checkSegment(segment, index)).join("/");
  return checkLength(joined, limits);
}

/** The namespace `path` below `base`, which is canonical already. The limits hold for the whole. */
export function joinNamespace(base: string, path: unknown, limits: Limits): string {
  const below = checkNamespace(path, limits);
  if (base === "") return below;
  if (below === "") return base;
  const joined = `${base}/${below}`;
  checkSegmentCount(joined.split("/").length, limits);
  return checkLength(joined, limits);
}

/** Whether the namespace is `base` or below it; by whole segments, so "users/10" is not in "users/1". */
export function isWithin(namespace: string, base: string): boolean {
  if (base === "") return true;
  if (!namespace.startsWith(base)) return false;
  return namespace.length === base.length || namespace[base.length] === "/";
}

function splitPath(path: string, limits: Limits): string[] {
  // Before splitting: a megabyte of slashes must not become a million strings.
  checkLength(path, limits);
  return path.split("/");
}

function checkLength(namespace: string, limits: Limits): string {
  if (!exceedsBytes(namespace, limits.namespaceBytes)) return namespace;
  throw refusal(
    "INVALID_NAMESPACE",
    "namespace",
    namespace,
    `is over ${limits.namespaceBytes} bytes of UTF-8`,
  );
}

function checkSegmentCount(count: number, limits: Limits): void {
  if (count <= limits.namespaceSegments) return;
  throw new MemoryError(
    "INVALID_NAMESPACE",
    `namespace: ${count} segments, at most ${limits.namespaceSegments} allowed`,
    { field: "namespace" },
  );
}

function checkSegment(segment: unknown, index: number): string {
  const field = `namespace[${index}]`;
  if (typeof segment !== "string")
    throw new MemoryError(
      "INVALID_NAMESPACE",
      `${field}: expected a string, got ${describe(segment)}`,
      {
        field,
      },
    );
  const fault =
    nameFault(segment) ??
    (segment.includes("/") ? 'contains "/"; give the parts as separate segments' : undefined);
  if (fault !== undefined) throw refusal("INVALID_NAMESPACE", field, segment, fault);
  return segment;
}

/** What keys and segments have in common. */
function nameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name === "." || name === "..") return "is a path step, which HTTP clients rewrite";
  return textFault(name);
}

function refusal(code: ErrorCode, field: string, given: string, fault: string): MemoryError {
  return new MemoryError(code, `${field}: ${quote(given)} ${fault}`, { field });
}
