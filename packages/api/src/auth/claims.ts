import { checkNamespace } from "@cherry-ai/memory";
import type { Limits } from "@cherry-ai/memory";
import { isScope } from "./identity.ts";
import type { Identity } from "./identity.ts";

/** More would make each request's check slow. */
const NAMESPACES_MAX = 100;

/** A verified token's claims as an identity, or why they are none. */
export function identityOf(
  claims: { readonly [name: string]: unknown },
  expiresAtMs: number,
  limits: Limits,
): Identity | string {
  const { sub, scope, ns } = claims;
  if (typeof sub !== "string" || sub === "") return "sub: expected text";
  if (!isScope(scope)) return "scope: expected reader, writer or admin";
  if (!Array.isArray(ns) || ns.length === 0) return "ns: expected a list of namespaces, or *";
  if (ns.length > NAMESPACES_MAX) return `ns: expected at most ${NAMESPACES_MAX} namespaces`;
  const namespaces: string[] = [];
  for (const each of ns as readonly unknown[]) {
    if (each === "*") namespaces.push("*");
    // The root is claimed as "*": an empty text is more likely a mistake.
    else if (typeof each !== "string" || each === "") return "ns: expected namespaces or *";
    else
      try {
        namespaces.push(checkNamespace(each, limits));
      } catch {
        return `ns: ${JSON.stringify(each.slice(0, 60))} is no namespace`;
      }
  }
  return { subject: sub, scope, namespaces, expiresAtMs };
}
