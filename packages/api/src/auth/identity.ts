import { isWithin } from "@cherry-ai/memory";

export type Scope = "reader" | "writer" | "admin";

const RANK: { readonly [scope in Scope]: number } = { reader: 1, writer: 2, admin: 3 };

/** Who calls, and what the token allows. */
export interface Identity {
  readonly subject: string;
  readonly scope: Scope;
  /** Canonical namespaces, each with all below it; "*" = everything. */
  readonly namespaces: readonly string[];
  /** Wall time from which the token counts no longer; Infinity = no token. */
  readonly expiresAtMs: number;
}

/** Whoever sits on this machine, where no tokens are in use. */
export const LOCAL_ADMIN: Identity = Object.freeze({
  subject: "local",
  scope: "admin",
  namespaces: ["*"],
  expiresAtMs: Infinity,
});

export function isScope(value: unknown): value is Scope {
  return typeof value === "string" && Object.hasOwn(RANK, value);
}

export function mayAct(identity: Identity, needed: Scope): boolean {
  return RANK[identity.scope] >= RANK[needed];
}

/** Whole segments count: a claim on "users/1" says nothing about "users/10". */
export function mayTouch(identity: Identity, namespace: string): boolean {
  return identity.namespaces.some((claim) => claim === "*" || isWithin(namespace, claim));
}

export function touchesEverything(identity: Identity): boolean {
  return identity.namespaces.includes("*");
}
